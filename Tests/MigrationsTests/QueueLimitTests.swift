import Postgres
import TestSupport
import Testing
import Threading

@Suite("max_running of a queue")
struct QueueLimitTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    private func limit(_ count: Int?, _ name: String = "default") throws {
        try queue.connection.execute("SELECT rewardd.set_queue_limit(\(name), \(count)::int)")
    }

    private func running(_ name: String = "default") throws -> Int {
        try queue.number("SELECT running AS value FROM rewardd.queue_status WHERE name = \(name)")
    }

    @Test("no more run than it says, over all daemons and models; what ends makes room")
    func limited() throws {
        try queue.enqueue(items: 6, options: #"{"shard_size": 1}"#, model: "m")
        try queue.enqueue(items: 6, options: #"{"shard_size": 1}"#, model: "n")
        try limit(3)
        let first = try queue.register()
        let second = try queue.register()
        let leases = try queue.claim(first, max: 2, models: ["m", "n"])
        #expect(leases.count == 2)
        #expect(try queue.claim(second, max: 9, models: ["m", "n"]).count == 1)
        #expect(try queue.claim(first, max: 9, models: ["m", "n"]).isEmpty)
        _ = try queue.finish(leases[0], "fail")
        _ = try queue.finish(leases[1], "retry", retryIn: "1 hour")
        #expect(try queue.claim(first, max: 9, models: ["n"]).count == 2)
        #expect(try running() == 3)
        #expect(try queue.kill(first) == 2)
        #expect(try queue.claim(second, max: 9, models: ["m", "n"]).count == 2)
    }

    @Test("a full queue does not stand in the way of another, nor does one that waits in vain")
    func others() throws {
        try queue.connection.execute("SELECT rewardd.create_queue('night')")
        try limit(1)
        try queue.enqueue(items: 200, options: #"{"shard_size": 1}"#, priority: 10)
        try queue.enqueue(items: 3, options: #"{"shard_size": 1}"#, queue: "night")
        let daemon = try queue.register(queues: ["default", "night"])
        let claimed = try queue.claim(daemon, max: 3, queues: ["default", "night"])
        #expect(claimed.count == 3)
        #expect(try running() == 1)
        #expect(try running("night") == 2)
    }

    @Test("what becomes due in the same claim is limited too")
    func due() throws {
        let job = try queue.enqueue(items: 4, options: #"{"shard_size": 1}"#, runIn: "1 hour")
        try limit(2)
        try queue.connection.execute(
            "UPDATE rewardd.shard SET run_at = now() - interval '1 s' WHERE job_id = \(job)"
        )
        #expect(try queue.claim(queue.register(), max: 4).count == 2)
    }

    @Test("eight daemons that claim at once do not exceed it")
    func concurrent() throws {
        try queue.enqueue(items: 400, options: #"{"shard_size": 1}"#)
        try limit(5)
        let database = queue.database
        let most = try onThreads(8) { _ in
            let own = try QueueFixture(database: database)
            let daemon = try own.register()
            var most = 0
            for _ in 0..<25 {
                let leases = try own.claim(daemon, max: 3)
                most = max(
                    most,
                    try own.number(
                        "SELECT count(*) AS value FROM rewardd.shard WHERE state = 'running'"
                    )
                )
                for lease in leases { _ = try own.finish(lease, "fail") }
            }
            return most
        }
        #expect(most.allSatisfy { $0 <= 5 }, "\(most)")
        #expect(most.contains { $0 > 3 }, "\(most): the limit was never tried")
        #expect(try running() == 0)
    }

    @Test("a claim waits for the one before it on the same queue, and then counts anew")
    func serialised() throws {
        try queue.enqueue(items: 4, options: #"{"shard_size": 1}"#)
        try limit(2)
        let slow = try queue.another()
        let daemon = try slow.register()
        try slow.connection.execute("BEGIN")
        #expect(try slow.claim(daemon, max: 1).count == 1)
        let database = queue.database
        let others = Outcomes<Int>()
        let thread = NamedThread(name: "second claim") {
            others.add(
                Result {
                    let own = try QueueFixture(database: database)
                    return try own.claim(own.register(), max: 4).count
                }
            )
        }
        while try queue.number(
            "SELECT count(*) AS value FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        ) == 0 { try queue.connection.execute("SELECT pg_sleep(0.01)") }
        #expect(others.all.isEmpty)
        try slow.connection.execute("COMMIT")
        thread.join()
        #expect(try others.all.map { try $0.get() } == [1])
        #expect(try running() == 2)
    }

    @Test("raised, lowered and taken away while shards run")
    func changed() throws {
        try queue.enqueue(items: 20, options: #"{"shard_size": 1}"#)
        let daemon = try queue.register()
        try limit(4)
        #expect(try queue.claim(daemon, max: 9).count == 4)
        try limit(2)
        #expect(try queue.claim(daemon, max: 9).isEmpty)
        try limit(5)
        #expect(try queue.claim(daemon, max: 9).count == 1)
        try limit(nil)
        #expect(try queue.claim(daemon, max: 9).count == 9)
    }

    @Test("a claim that finds nothing to do in a limited queue writes nothing")
    func idle() throws {
        try limit(2)
        let daemon = try queue.register()
        _ = try queue.claim(daemon)
        try queue.connection.execute("BEGIN")
        #expect(try queue.claim(daemon).isEmpty)
        let wrote = try queue.text(
            "SELECT coalesce(pg_current_xact_id_if_assigned()::text, 'nothing') AS value"
        )
        try queue.connection.execute("ROLLBACK")
        #expect(wrote == "nothing")
    }

    @Test("settings that make no sense are refused in words")
    func refusals() throws {
        let cases = [
            ("set_queue_limit('default', 0)", "max_running: expected a number from 1 on, got 0"),
            ("set_queue_limit('no', 1)", #"queue: expected an existing queue, got "no""#),
            (
                "set_queue_retention('default', '5 seconds')",
                "retention: expected an interval from 1 minute on, got 00:00:05"
            ),
            ("set_queue_retention(NULL, NULL)", "queue: expected an existing queue, got nothing"),
        ]
        for (call, message) in cases {
            let error = try queue.refusal {
                try queue.connection.execute(Query(script: "SELECT rewardd.\(call)"))
            }
            #expect(error?.message == message)
            #expect(error?.hint != nil)
        }
    }
}
