import FailPoints
import Foundation
import Postgres
import Staging
import Testing

@testable import Chaos

/// Faults one by one whose outcome is known; `ChaosRunTests` throws them in all at once.
@Suite("One fault at a time", .serialized)
struct FaultTests {
    @Test("a daemon that dies at any edge of its work loses nothing and doubles nothing")
    func everyEdge() async throws {
        let points = FailPoint.allCases
        let bench = try FaultBench(daemons: points.count + 1)
        for (place, point) in points.enumerated() {
            bench.stage.fleet.arm(
                place,
                DaemonSlot.Trap(point: point, pass: 1, effect: .kill, seconds: 0.1)
            )
        }
        try bench.submit(jobs: 80, items: 8)
        try await bench.play(until: "the death of a daemon at every edge") { connection in
            // More work for whoever has not met its edge yet.
            let open = try bench.number(
                "SELECT count(*) AS n FROM rewardd.shard WHERE state = 'ready'",
                connection
            )
            if open < 20 { try bench.submit(jobs: 10, items: 8) }
            return bench.stage.fleet.sprung.count == points.count
        }
        #expect(bench.stage.fleet.sprung.values.allSatisfy { $0 == 1 })
        // The one that died right after it had registered is missed when its lease ends.
        try await bench.play(until: "the news of all deaths but one") { _ in
            try bench.deaths() >= points.count - 1
        }
        try await bench.expectAllWell()
    }

    @Test(
        "a daemon that is cut off is replaced when its lease ends, writes nothing, and comes back"
    )
    func silence() async throws {
        let ways = FaultProxy.Silence.allCases
        let bench = try FaultBench(daemons: ways.count + 1, answerMilliseconds: 150)
        try bench.submit(jobs: 40, items: 20)
        try await bench.playUntilAtWork()
        for (place, way) in ways.enumerated() {
            #expect(bench.stage.fleet.silence(place, way, at: bench.now, seconds: 18))
        }
        // On a machine with too much to do another one may have been late too.
        try await bench.play(until: "the end of the leases") { _ in
            try bench.deaths() >= ways.count
        }
        try await bench.play(until: "their return under new numbers") { connection in
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.daemon WHERE stopped_at IS NULL",
                connection
            ) == ways.count + 1
        }
        for place in ways.indices {
            let log = bench.stage.fleet.log(place)
            #expect(log.contains("leases lost"), "\(log.suffix(2000))")
            // Its heartbeat gave the silent connection up by itself.
            #expect(log.contains("no answer within"), "\(log.suffix(2000))")
        }
        _ = try bench.connect().execute(
            "SELECT rewardd.cancel(job_id) FROM rewardd.job WHERE finished_at IS NULL"
        )
        try await bench.expectAllWell()
    }

    @Test("answers lost after the server's commit are resolved by asking again, nothing is doubled")
    func lostReplies() async throws {
        let bench = try FaultBench(daemons: 2)
        try bench.submit(jobs: 30, items: 8)
        try await bench.playUntilAtWork()
        for text in [
            "COMMIT", "rewardd.checkpoint", "rewardd.finish_shard", "rewardd.claim_shards",
        ] {
            for place in 0..<2 {
                let before = bench.stage.fleet.lostReplies
                #expect(bench.stage.fleet.loseReplies(place, after: text, times: 2))
                try await bench.play(until: "two lost answers to \(Comment(rawValue: text))") { _ in
                    if bench.submittedIsShort() { try bench.submit(jobs: 10, items: 8) }
                    return bench.stage.fleet.lostReplies >= before + 2
                }
            }
        }
        try await bench.expectAllWell()
        #expect(try bench.deaths() == 0)
    }

    @Test(
        "serializable transactions by default, a table locked for seconds, and no free connection"
    )
    func server() async throws {
        let bench = try FaultBench(daemons: 2)
        let connection = try bench.connect()
        _ = try connection.execute(
            "ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'"
        )
        try bench.submit(jobs: 60, items: 8)
        try await bench.playUntilAtWork()

        // Longer than a lock is waited for, again and again.
        _ = try connection.execute("BEGIN")
        _ = try connection.execute("LOCK TABLE rewardd.shard IN ACCESS EXCLUSIVE MODE")
        try await bench.play(seconds: 7)
        _ = try connection.execute("COMMIT")
        #expect(try bench.deaths() == 0)

        var others: [Connection] = []
        while others.count < 250, let other = try? bench.connectAsWorker() { others.append(other) }
        #expect(others.count < 250)
        _ = try connection.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rewardd'
            """
        )
        while others.count < 250, let other = try? bench.connectAsWorker() { others.append(other) }
        let before = bench.stage.fleet.log(0).split(separator: "\n").count
        try await bench.play(seconds: 3)
        let lines = bench.stage.fleet.log(0).split(separator: "\n").count - before
        // Six connections that wait longer each time write tens of lines; without waiting they write thousands.
        #expect(lines < 300, "it spins")
        others = []
        try await bench.expectAllWell()
    }
}

extension FaultBench {
    /// A connection as the daemons make it, which may be refused where the superuser's is not.
    func connectAsWorker() throws -> Connection {
        try Connection(url: stage.cluster.url(user: "chaos_worker"), applicationName: "idle")
    }

    /// Whether little work is left.
    func submittedIsShort() -> Bool {
        let open = try? number(
            "SELECT count(*) AS n FROM rewardd.shard WHERE state = 'ready'",
            connect()
        )
        return (open ?? 100) < 10
    }
}
