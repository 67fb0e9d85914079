import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// Daemons that reach PostgreSQL only through PgBouncer's transaction mode: no LISTEN, no lock of a
/// session, and each statement perhaps on another connection.
@Suite("a daemon behind PgBouncer", .enabled(if: PoolerProcess.isInstalled))
struct DaemonPoolerTests {
    let bench: Workbench
    let pooler: PoolerProcess

    init() throws {
        bench = try Workbench()
        pooler = try PoolerProcess(before: bench.workerURL)
    }

    private func daemon() throws -> DaemonProcess {
        try DaemonProcess(database: pooler.url, mediaRoot: Repository.pictures)
    }

    @Test("knows of the pooler, judges, and stops what is cancelled")
    func work() throws {
        let connection = try Connection(url: pooler.url, applicationName: "tests")
        #expect(try connection.isPooled())
        #expect(try !bench.connection.isPooled())

        let daemon = try daemon()
        let job = try bench.enqueue(kind: "point_score", items: Workbench.pointItems(20))
        #expect(try bench.end(of: job, daemon: daemon) == "completed", "\(daemon.log)")
        #expect(daemon.log.contains("no notifications through a database pooler"))
        let long = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(2000),
            options: #"{"shard_size": 1000}"#
        )
        try bench.results(moreThan: 20, daemon: daemon)
        _ = try bench.submitter().execute("SELECT rewardd.cancel(\(long))")
        #expect(try bench.end(of: long, daemon: daemon) == "cancelled")
        #expect(
            try bench.number("SELECT count(*) AS n FROM rewardd.daemon WHERE holds_lock") == 0
        )
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0, "\(daemon.log)")
    }

    @Test("is missed when its lease ends, and its work goes on elsewhere")
    func death() throws {
        let first = try daemon()
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(400),
            options: #"{"shard_size": 400}"#
        )
        try bench.results(moreThan: 3, daemon: first)
        first.signal(SIGKILL)
        let second = try daemon()
        #expect(try bench.end(of: job, daemon: second) == "completed", "\(second.log)")
        #expect(
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.item_result WHERE job_id = \(job)"
            ) == 400
        )
        #expect(second.log.contains("rescued shards of a dead daemon"))
    }
}
