import Postgres
import TestSupport
import Testing

@Suite("finish_shard")
struct FinishTests {
    let queue: QueueFixture
    let daemon: Int

    init() throws {
        queue = try QueueFixture()
        daemon = try queue.register()
    }

    @Test("done with every result ends the shard, and with the last one the job")
    func done() throws {
        let job = try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let leases = try queue.claim(daemon, max: 2)
        #expect(try queue.checkpoint(leases[0], completed: [0, 1]) == "ok")
        #expect(try queue.finish(leases[0], "done") == "ok")
        #expect(try queue.status(job) == "running 4 2 0")
        #expect(try queue.checkpoint(leases[1], completed: [2], failed: [3]) == "ok")
        #expect(try queue.finish(leases[1], "done") == "ok")
        #expect(try queue.status(job) == "completed 4 3 1")
        #expect(try queue.finish(leases[1], "done") == "lost")
        #expect(
            try queue.events(job) == [
                "enqueued", "claimed", "claimed", "finished", "finished", "completed",
            ]
        )
    }

    @Test("done without every result is refused with both numbers")
    func unfinished() throws {
        let job = try queue.enqueue(items: 3)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, completed: [1])
        let error = try queue.refusal { _ = try queue.finish(lease, "done") }
        #expect(
            error?.message
                == "shard \(lease.shard): expected results for all 3 items before done, got 1"
        )
        #expect(error?.sqlState == .wrongState && error?.hint?.isEmpty == false)
        #expect(try queue.status(job) == "running 3 1 0")
        let unknown = try queue.refusal { _ = try queue.finish(lease, "gone") }
        #expect(
            unknown?.message == #"outcome: expected done, release, retry or fail, got "gone""#
        )
    }

    @Test("of all items failed ends the job as failed, with the most frequent reason")
    func allFailed() throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, failed: [0, 1])
        #expect(try queue.finish(lease, "done") == "ok")
        #expect(try queue.status(job) == "failed 2 0 2")
        let error = try queue.text(
            "SELECT error AS value FROM rewardd.job_status WHERE job_id = \(job)"
        )
        #expect(error == "all 2 items failed, most often with broken")
    }

    @Test("release gives the attempt back, any number of times")
    func release() throws {
        let job = try queue.enqueue(options: #"{"max_attempts": 1}"#)
        for _ in 0..<3 {
            let lease = try queue.claim(daemon)[0]
            #expect(lease.attempts == 1)
            #expect(try queue.finish(lease, "release") == "ok")
        }
        #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a0 c0"])
        #expect(try queue.events(job).suffix(2) == ["claimed", "released"])
    }

    @Test("retry waits for retry_in and fails the rest after the last attempt")
    func retry() throws {
        let job = try queue.enqueue(items: 3, options: #"{"max_attempts": 2}"#)
        let first = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(first, completed: [0])
        #expect(try queue.finish(first, "retry", error: "no disk", retryIn: "1 hour") == "ok")
        #expect(try queue.shards(job) == ["scheduled 0+3 d1 f0 a1 c0"])
        #expect(try queue.claim(daemon).isEmpty)
        let wait = try queue.text(
            """
            SELECT (run_at - now() BETWEEN '59 min' AND '60 min')::text AS value FROM rewardd.shard
            """
        )
        #expect(wait == "true")
        try queue.connection.execute("UPDATE rewardd.shard SET run_at = now() - interval '1 s'")
        let second = try queue.claim(daemon)[0]
        #expect(second.items == [1, 2] && second.attempts == 2)
        #expect(try queue.finish(second, "retry", error: "no disk", retryIn: "0 s") == "ok")
        #expect(
            try queue.results(job) == [
                "0 completed", "1 failed attempts_exhausted", "2 failed attempts_exhausted",
            ]
        )
        let error = try queue.text(
            "SELECT error AS value FROM rewardd.result WHERE item_index = 2"
        )
        #expect(error == "gave up after 2 attempts: no disk")
        #expect(try queue.status(job) == "completed 3 1 2")
    }

    @Test("retry at once, or in the past, makes the shard ready", arguments: ["0 s", "-1 day"])
    func retryNow(delay: String) throws {
        let job = try queue.enqueue()
        #expect(try queue.finish(queue.claim(daemon)[0], "retry", retryIn: delay) == "ok")
        #expect(try queue.shards(job) == ["ready 0+1 d0 f0 a1 c0"])
    }

    @Test("fail gives the unfinished items the error")
    func fail() throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, completed: [1])
        #expect(try queue.finish(lease, "fail", error: "unknown model") == "ok")
        #expect(try queue.results(job) == ["0 failed shard_failed", "1 completed"])
        #expect(try queue.shards(job) == ["failed 0+2 d1 f1 a1 c0"])
        #expect(try queue.status(job) == "completed 2 1 1")
    }

    @Test(
        "of a shard whose items all have results is done whatever the outcome",
        arguments: ["release", "retry", "fail"]
    )
    func complete(outcome: String) throws {
        let job = try queue.enqueue()
        let lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, completed: [0])
        #expect(try queue.finish(lease, outcome) == "ok")
        #expect(try queue.status(job) == "completed 1 1 0")
    }

    @Test("of many shards at once ends the job exactly once")
    func together() throws {
        for _ in 1...5 { try togetherOnce() }
    }

    private func togetherOnce() throws {
        let job = try queue.enqueue(items: 8, options: #"{"shard_size": 1}"#)
        let leases = try queue.claim(daemon, max: 8)
        let database = queue.database
        let replies = try onThreads(8) { index in
            let own = try QueueFixture(database: database)
            _ = try own.checkpoint(leases[index], completed: leases[index].items)
            return try own.finish(leases[index], "done")
        }
        #expect(replies.allSatisfy { $0 == "ok" })
        #expect(try queue.status(job) == "completed 8 8 0")
        #expect(try queue.events(job).count { $0 == "completed" } == 1)
    }
}
