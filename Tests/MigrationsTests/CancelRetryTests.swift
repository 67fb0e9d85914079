import Postgres
import TestSupport
import Testing
import Threading

@Suite("cancel and retry")
struct CancelRetryTests {
    let queue: QueueFixture
    let daemon: Int

    init() throws {
        queue = try QueueFixture()
        daemon = try queue.register()
    }

    @Test("cancel ends a waiting job at once", arguments: ["0 s", "1 hour"])
    func waiting(runIn: String) throws {
        let job = try queue.enqueue(items: 20, runIn: runIn)
        #expect(try queue.cancel(job) == "cancelled")
        #expect(try queue.status(job) == "cancelled 20 0 0")
        #expect(try queue.cancel(job) == "cancelled")
        #expect(try queue.claim(daemon).isEmpty)
        #expect(try queue.events(job) == ["enqueued", "cancel_requested", "cancelled"])
        let error = try queue.text(
            "SELECT error AS value FROM rewardd.job_status WHERE job_id = \(job)"
        )
        #expect(error == #"cancelled by "postgres": test"#)
    }

    @Test("cancel tells the daemon and ends the job when it has stopped, keeping results")
    func running() throws {
        let job = try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let lease = try queue.claim(daemon)[0]
        try queue.connection.execute("LISTEN \(identifier: "rewardd_daemon_\(daemon)")")
        #expect(try queue.cancel(job) == "running")
        let heard = try queue.connection.waitForNotification(timeout: .seconds(5))
        #expect(heard.map(\.payload) == ["cancel"])
        #expect(try queue.cancel(job) == "running")
        #expect(
            try queue.list(
                "SELECT shard::text AS value FROM rewardd.cancelled_shards(\(daemon)) AS shard"
            )
                == ["\(lease.shard)"]
        )
        #expect(try queue.checkpoint(lease, completed: [0]) == "cancel")
        #expect(try queue.finish(lease, "release") == "cancel")
        #expect(try queue.status(job) == "cancelled 4 1 0")
        #expect(try queue.results(job) == ["0 completed"])
        #expect(try queue.events(job).count { $0 == "cancel_requested" } == 1)
    }

    @Test(
        "a cancelled shard is over whatever its daemon says or does",
        arguments: ["release", "retry", "fail", "done", "die", "leave"]
    )
    func outcomes(outcome: String) throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.cancel(job)
        switch outcome {
        case "die": try queue.kill(daemon)
        case "leave": try queue.connection.execute("SELECT rewardd.stop_daemon(\(daemon))")
        default: #expect(try queue.finish(lease, outcome) == "cancel")
        }
        #expect(try queue.status(job) == "cancelled 2 0 0")
        #expect(try queue.shards(job)[0].hasPrefix("cancelled"))
    }

    @Test("cancel of an ended or unknown job is refused")
    func wrongState() throws {
        let job = try queue.enqueue()
        let lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, completed: [0])
        _ = try queue.finish(lease, "done")
        let ended = try queue.refusal { _ = try queue.cancel(job) }
        #expect(ended?.sqlState == .wrongState)
        #expect(
            ended?.message
                == "job \(job): expected a job that has not ended, got one that is completed"
        )
        let unknown = try queue.refusal { _ = try queue.cancel(4711) }
        #expect(unknown?.sqlState == .noDataFound)
        let nothing = try queue.refusal { _ = try queue.retry(job) }
        #expect(nothing?.sqlState == .wrongState)
        #expect(
            nothing?.message
                == "job \(job): expected failed or unfinished items, got 1 completed ones"
        )
    }

    @Test("retry opens only the failed items, in runs of consecutive ones")
    func retryFailed() throws {
        let job = try queue.enqueue(items: 10, options: #"{"shard_size": 5}"#)
        for lease in try queue.claim(daemon, max: 2) {
            let broken = lease.items.filter { [1, 2, 3, 5, 9].contains($0) }
            _ = try queue.checkpoint(
                lease,
                completed: lease.items.filter { !broken.contains($0) },
                failed: broken
            )
            _ = try queue.finish(lease, "done")
        }
        #expect(try queue.status(job) == "completed 10 5 5")
        #expect(try queue.retry(job) == 5)
        #expect(try queue.status(job) == "ready 10 5 0")
        #expect(
            try queue.shards(job).suffix(3) == [
                "ready 1+3 d0 f0 a0 c0", "ready 5+1 d0 f0 a0 c0", "ready 9+1 d0 f0 a0 c0",
            ]
        )
        let again = try queue.refusal { _ = try queue.retry(job) }
        #expect(
            again?.message == "job \(job): expected a job that has ended, got one that is ready"
        )
        let removed = try queue.text(
            "SELECT data::text AS value FROM rewardd.job_event WHERE type = 'retried'"
        )
        #expect(removed.contains(#""items": 5"#) && removed.contains(#"[9, "broken"]"#))
        for lease in try queue.claim(daemon, max: 9) {
            _ = try queue.checkpoint(lease, completed: lease.items)
            _ = try queue.finish(lease, "done")
        }
        #expect(try queue.status(job) == "completed 10 10 0")
    }

    @Test("retry of a cancelled job opens failed and unfinished items, at most shard_size each")
    func retryCancelled() throws {
        let job = try queue.enqueue(items: 7, options: #"{"shard_size": 3}"#)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, completed: [0], failed: [1])
        _ = try queue.cancel(job)
        _ = try queue.finish(lease, "release")
        #expect(try queue.status(job) == "cancelled 7 1 1")
        #expect(try queue.retry(job) == 6)
        #expect(
            try queue.shards(job).suffix(2) == ["ready 1+3 d0 f0 a0 c0", "ready 4+3 d0 f0 a0 c0"]
        )
        #expect(try queue.results(job) == ["0 completed"])
        #expect(try queue.status(job) == "ready 7 1 0")
    }

    @Test("cancel and finish at the same time end the job once, without deadlock")
    func race() throws {
        for _ in 1...10 { try raceOnce() }
    }

    private func raceOnce() throws {
        let job = try queue.enqueue(items: 6, options: #"{"shard_size": 2}"#)
        let leases = try queue.claim(queue.register(), max: 2)
        let database = queue.database
        let replies = try onThreads(4) { index in
            let own = try QueueFixture(database: database)
            switch index {
            case 0, 1:
                _ = try own.checkpoint(leases[index], completed: leases[index].items)
                return try own.finish(leases[index], index == 0 ? "done" : "release")
            case 2: return try own.claim(own.register()).isEmpty ? "none" : "claimed"
            default: return try own.cancel(job)
            }
        }
        #expect(!replies.contains("lost"))
        // The third shard may be running with the claimant: then it is told to stop.
        let state = try queue.status(job)
        if replies.contains("claimed") {
            #expect(state == "running 6 4 0")
            try queue.connection.execute("UPDATE rewardd.daemon SET lease_until = '-infinity'")
            try queue.connection.execute("SELECT rewardd.rescue()")
        }
        #expect(try queue.status(job) == "cancelled 6 4 0")
        #expect(try queue.events(job).count { $0 == "cancelled" } == 1)
    }

    @Test("cancel waits for a checkpoint under way and keeps what it stored")
    func interleaved() throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        try queue.connection.execute("BEGIN")
        #expect(try queue.checkpoint(lease, completed: [0]) == "ok")
        let database = queue.database
        let outcome = Outcomes<String>()
        let canceller = NamedThread(name: "test-cancel") {
            outcome.add(Result { try QueueFixture(database: database).cancel(job) })
        }
        // Wait until the other session stands at our lock.
        let other = try queue.another()
        while try other.number(
            """
            SELECT count(*) AS value FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """
        ) == 0 {}
        try queue.connection.execute("COMMIT")
        canceller.join()
        #expect(try outcome.all.map { try $0.get() } == ["running"])
        #expect(try queue.checkpoint(lease, completed: [1]) == "cancel")
        #expect(try queue.finish(lease, "done") == "ok")
        #expect(try queue.status(job) == "cancelled 2 2 0")
    }
}
