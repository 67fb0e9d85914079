import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// Faults from outside: the server dies, a daemon is frozen past its lease, the service manager watches.
@Suite("A daemon under faults", .serialized)
struct DaemonFaultTests {
    @Test("a server that crashes and returns costs nothing: the job ends, each item has one result")
    func serverCrash() throws {
        let cluster = try TestCluster.separate()
        defer { cluster.stop() }
        let migrate = Process()
        migrate.executableURL = DaemonProcess.products.appending(path: "rewardctl")
        migrate.arguments = ["migrate"]
        migrate.environment = ["DATABASE_URL": cluster.url, "PATH": "/usr/bin:/bin"]
        migrate.standardError = FileHandle.nullDevice
        migrate.standardOutput = FileHandle.nullDevice
        try migrate.run()
        migrate.waitUntilExit()
        #expect(migrate.terminationStatus == 0)

        let daemon = try DaemonProcess(database: cluster.url, mediaRoot: Repository.pictures)
        func ask<Value>(_ body: (Connection) throws -> Value) throws -> Value {
            try body(Connection(url: cluster.url, applicationName: "test"))
        }
        let items = Workbench.pointItems(80)
        let job = try ask {
            try $0.execute(
                """
                SELECT rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', 'tiny') AS n
                """
            )[0].int64("n")
        }
        let deadline = ContinuousClock.now + .seconds(90)
        var hasCrashed = false
        var state = ""
        while state != "completed", ContinuousClock.now < deadline {
            let (count, now) = try ask { connection in
                let row = try connection.execute(
                    """
                    SELECT (SELECT count(*) FROM rewardd.item_result) AS n,
                        (SELECT state::text FROM rewardd.job WHERE job_id = \(job)) AS state
                    """
                )[0]
                return (try row.int64("n"), try row.text("state"))
            }
            state = now
            if count >= 5, !hasCrashed {
                hasCrashed = true
                try cluster.restart()
            }
            usleep(20_000)
        }
        #expect(state == "completed", "\(daemon.log)")
        let counts = try ask {
            try $0.execute(
                """
                SELECT count(*) AS results FROM rewardd.item_result WHERE state = 'completed'
                """
            )[0].int64("results")
        }
        #expect(counts == 80)
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("a daemon frozen past its lease writes nothing under it, and works on under a new number")
    func frozen() throws {
        let bench = try Workbench()
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(60),
            options: #"{"shard_size": 30}"#
        )
        let frozen = try bench.daemon()
        try bench.results(moreThan: 1, daemon: frozen)
        frozen.signal(SIGSTOP)
        // Stands for the end of the lease, which would take 15 s: another daemon declares it dead.
        _ = try bench.connection.execute(
            "UPDATE rewardd.daemon SET lease_until = now() - interval '1 second'"
        )
        let other = try bench.daemon()
        try bench.wait("the rescue", daemon: other) {
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.event WHERE type = 'rescued'"
            ) > 0
        }
        frozen.signal(SIGCONT)
        #expect(try bench.end(of: job, daemon: other) == "completed")
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.item_result") == 60)
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.judgement") == 60)
        try bench.wait("the new registration", daemon: frozen) {
            try bench.number("SELECT count(*) AS n FROM rewardd.daemon WHERE stopped_at IS NULL")
                == 2
        }
        for daemon in [frozen, other] {
            daemon.signal(SIGTERM)
            #expect(daemon.wait() == 0, "\(daemon.log)")
        }
    }

    @Test("a daemon that an operator drains ends with status 0 and leaves the rest to others")
    func operatorDrain() throws {
        let bench = try Workbench()
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(300),
            options: #"{"shard_size": 100}"#
        )
        let daemon = try bench.daemon()
        try bench.results(moreThan: 1, daemon: daemon)
        _ = try bench.connection.execute(
            "SELECT rewardd.drain_daemon(daemon_id) FROM rewardd.daemon"
        )
        #expect(daemon.wait() == 0, "\(daemon.log)")
        #expect(
            try bench.number("SELECT count(*) AS n FROM rewardd.shard WHERE state = 'running'") == 0
        )
        let next = try bench.daemon()
        #expect(try bench.end(of: job, daemon: next) == "completed")
        #expect(try bench.number("SELECT count(*) AS n FROM rewardd.item_result") == 300)
    }

    @Test(
        "a checkpoint that the database refuses puts the shard off instead of holding it for ever"
    )
    func refusedCheckpoint() throws {
        let bench = try Workbench()
        _ = try bench.connection.executeScript(
            """
            CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no room'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON rewardd.item_result
                FOR EACH ROW EXECUTE FUNCTION public.refuse();
            """
        )
        let job = try bench.enqueue(kind: "point_score", items: Workbench.pointItems(3))
        let daemon = try bench.daemon()
        try bench.wait("the shard put off", daemon: daemon) {
            try bench.number("SELECT count(*) AS n FROM rewardd.event WHERE type = 'retried'") == 1
        }
        #expect(
            try bench.text("SELECT error AS t FROM rewardd.shard")?.contains("no room") == true
        )
        _ = try bench.connection.executeScript("DROP TRIGGER refuse ON rewardd.item_result")
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
    }

    @Test("the service manager hears READY, WATCHDOG and STOPPING")
    func serviceManager() throws {
        let bench = try Workbench()
        let manager = try ServiceManagerSocket()
        let daemon = try DaemonProcess(
            database: bench.workerURL,
            mediaRoot: Repository.pictures,
            environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"]
        )
        #expect(manager.receive("READY=1"), "\(daemon.log)")
        #expect(manager.receive("WATCHDOG=1"))
        #expect(manager.receive("STATUS=idle"))
        daemon.signal(SIGTERM)
        #expect(manager.receive("STOPPING=1"))
        #expect(daemon.wait() == 0)
    }

    @Test("a daemon killed outright is noticed by another one within five seconds")
    func noticed() throws {
        let bench = try Workbench()
        let job = try bench.enqueue(
            kind: "point_score",
            items: Workbench.pointItems(300),
            options: #"{"shard_size": 150}"#
        )
        let victim = try bench.daemon()
        try bench.results(moreThan: 1, daemon: victim)
        let other = try bench.daemon()
        try bench.wait("the second registration", daemon: other) {
            try bench.number("SELECT count(*) AS n FROM rewardd.daemon") == 2
        }
        victim.signal(SIGKILL)
        _ = victim.wait()
        let killed = ContinuousClock.now
        try bench.wait("the rescue", seconds: 30, daemon: other) {
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.event WHERE type = 'rescued'"
            ) > 0
        }
        // The promise is 5 s on a machine that is not starved; the margin is for continuous integration.
        #expect(ContinuousClock.now - killed < .seconds(8))
        #expect(try bench.end(of: job, daemon: other) == "completed")
    }
}
