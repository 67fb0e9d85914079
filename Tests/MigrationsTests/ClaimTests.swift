import Postgres
import TestSupport
import Testing

@Suite("claim_shards")
struct ClaimTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    @Test("takes the highest priority first, and the oldest among equals")
    func order() throws {
        let first = try queue.enqueue()
        let second = try queue.enqueue()
        let urgent = try queue.enqueue(priority: 1000)
        let idle = try queue.enqueue(priority: -1000)
        let daemon = try queue.register()
        #expect(try queue.claim(daemon, max: 3).map(\.job) == [urgent, first, second])
        #expect(try queue.claim(daemon, max: 3).map(\.job) == [idle])
        #expect(try queue.status(first) == "running 1 0 0")
    }

    @Test("merges several queues and models in one order, and keeps to those asked for")
    func lanes() throws {
        try queue.connection.execute("SELECT rewardd.create_queue('night')")
        let a = try queue.enqueue(model: "a", priority: 1)
        let b = try queue.enqueue(model: "b", queue: "night", priority: 2)
        let c = try queue.enqueue(model: "c", priority: 3)
        let other = try queue.enqueue(model: "a", queue: "night")
        let daemon = try queue.register()
        #expect(try queue.claim(daemon, max: 9, models: ["x"]).isEmpty)
        #expect(try queue.claim(daemon, max: 9, models: [], queues: ["night"]).isEmpty)
        #expect(try queue.claim(daemon, max: 9, models: ["a"], queues: ["nowhere"]).isEmpty)
        let claimed = try queue.claim(
            daemon,
            max: 9,
            models: ["a", "b", "b"],
            queues: ["default", "night"]
        )
        #expect(claimed.map(\.job) == [b, a, other])
        #expect(try queue.status(c) == "ready 1 0 0")
    }

    @Test("leaves paused queues alone until they are resumed")
    func paused() throws {
        let job = try queue.enqueue()
        let daemon = try queue.register()
        try queue.connection.execute("SELECT rewardd.pause_queue('default')")
        #expect(try queue.claim(daemon).isEmpty)
        try queue.connection.execute("SELECT rewardd.resume_queue('default')")
        #expect(try queue.claim(daemon).map(\.job) == [job])
        for function in ["pause_queue", "resume_queue"] {
            let error = try queue.refusal {
                try queue.connection.execute(Query(script: "SELECT rewardd.\(function)('x')"))
            }
            #expect(error?.sqlState == .noDataFound)
            #expect(error?.message == #"queue: expected an existing queue, got "x""#)
        }
    }

    @Test("takes no more than asked, and each shard once among eight daemons at once")
    func concurrent() throws {
        try queue.enqueue(items: 80, options: #"{"shard_size": 1}"#)
        let database = queue.database
        let taken = try onThreads(8) { _ in
            let own = try QueueFixture(database: database)
            let daemon = try own.register()
            var shards: [Int] = []
            for _ in 0..<5 { shards += try own.claim(daemon, max: 2).map(\.shard) }
            return shards
        }
        #expect(taken.allSatisfy { $0.count == 10 })
        #expect(Set(taken.joined()).count == 80)
    }

    @Test("refuses a senseless limit")
    func limit() throws {
        for count in [0, -1, 1001] {
            let error = try queue.refusal { _ = try queue.claim(1, max: count) }
            #expect(error?.message == "max_shards: expected 1 to 1000, got \(count)")
            #expect(error?.sqlState == .invalidParameterValue)
        }
    }

    @Test("gives nothing to a daemon that is unknown, draining or stopped")
    func outsiders() throws {
        try queue.enqueue()
        #expect(try queue.claim(4711).isEmpty)
        let drained = try queue.register()
        try queue.connection.execute("SELECT rewardd.drain_daemon(\(drained))")
        #expect(try queue.claim(drained).isEmpty)
        let stopped = try queue.register()
        try queue.connection.execute("SELECT rewardd.stop_daemon(\(stopped))")
        #expect(try queue.claim(stopped).isEmpty)
        #expect(try queue.claim(queue.register()).count == 1)
    }

    @Test("makes due shards ready and leaves the others")
    func scheduled() throws {
        let due = try queue.enqueue(items: 2, options: #"{"shard_size": 1}"#, runIn: "1 hour")
        let later = try queue.enqueue(runIn: "1 hour")
        let daemon = try queue.register()
        #expect(try queue.claim(daemon).isEmpty)
        #expect(try queue.status(due) == "scheduled 2 0 0")
        try queue.connection.execute(
            "UPDATE rewardd.shard SET run_at = now() - interval '1 s' WHERE job_id = \(due)"
        )
        #expect(try queue.claim(daemon).map(\.job) == [due])
        #expect(try queue.shards(due).last == "ready 1+1 d0 f0 a0 c0")
        #expect(try queue.status(later) == "scheduled 1 0 0")
    }

    @Test("gives the items without a result, with their payload")
    func items() throws {
        let job = try queue.enqueue(items: 4)
        let daemon = try queue.register()
        let lease = try queue.claim(daemon)[0]
        #expect(lease.items == [0, 1, 2, 3] && lease.attempts == 1)
        _ = try queue.checkpoint(lease, completed: [0, 2])
        _ = try queue.finish(lease, "release")
        let row = try queue.connection.execute(
            """
            SELECT items::text, kind, task, model, options::text, first_item, item_count, attempts
            FROM rewardd.claim_shards(\(daemon), '{m}', '{default}', 1)
            """
        ).only()
        #expect(
            try row.text("items") == """
                [{"index": 1, "payload": {"image": "2.png", "caption": "caption 2"}}, \
                {"index": 3, "payload": {"image": "4.png", "caption": "caption 4"}}]
                """
        )
        #expect(try row.text("kind") == "point_score" && row.text("task") == "image_generation")
        #expect(try row.int("first_item") == 0 && row.int("item_count") == 4)
        #expect(try row.int("attempts") == 1)
        #expect(try queue.status(job) == "running 4 2 0")
    }

    // A backlog must not slow a claim: these break silently, as a plan that reads or sorts it all.
    @Test("reads the ready index in order, without sorting or scanning a backlog")
    func plan() throws {
        try queue.connection.execute(
            """
            INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
                state, max_attempts, submitted_by, fair_seq)
            SELECT 1, 'default', 'm', i % 3, now() + CASE WHEN i > 100000 THEN interval '1 day'
                ELSE '0 s' END, i, 1,
                CASE WHEN i > 100000 THEN 'scheduled' ELSE 'ready' END::rewardd.shard_state, 5,
                'submitter ' || i % 7, i / 7
            FROM generate_series(1, 200000) AS i
            """
        )
        let daemon = try queue.register()
        for analyzed in [false, true] {
            if analyzed { try queue.connection.execute("ANALYZE rewardd.shard") }
            let plan = try explain("_take_ready", daemon: daemon)
            let index = try #require(plan.first { $0.contains("using shard_ready") })
            #expect(rows(index) <= 40, "\(index)")
            #expect(!plan.contains { $0.contains("Seq Scan on shard") })
            // What is sorted is the window, 8 times the shards wanted and 32 more.
            for sort in plan.filter({ $0.contains("Sort (") }) {
                #expect(rows(sort) <= 40, "\(sort)")
            }
            let due = try explain("_promote_due", daemon: daemon)
            #expect(due.contains { $0.contains("Index Scan using shard_scheduled") })
            #expect(!due.contains { $0.contains("Sort") || $0.contains("Rows Removed") })
        }
    }

    /// The plan of a function's main statement under the settings of claim_shards, executed and
    /// rolled back.
    private func explain(
        _ function: String,
        daemon: Int
    ) throws -> [String] {
        let source = try queue.text(
            "SELECT prosrc AS value FROM pg_proc WHERE proname = \(function)"
        )
        let start = try #require(source.firstRange(of: "    WITH "))
        let end = try #require(source[start.lowerBound...].firstMatch(of: /;|\n +LOOP\n/))
        let statement = source[start.lowerBound..<end.range.lowerBound]
            .replacing("INTO taken", with: "")
            .replacing("_take_ready.daemon_id", with: "$1")
            .replacing("unnest(models)", with: "unnest($2)")
            .replacing("ANY (queues)", with: "ANY ($3)")
            .replacing("LIMIT max_shards", with: "LIMIT $4")
            .replacing("window_size", with: "$5")
            .replacing("unnest(limited, rooms)", with: "unnest('{}'::text[], '{}'::int[])")
            .replacing("<= moment", with: "<= $6")
        let settings = try queue.list(
            """
            SELECT format('SET LOCAL %s = %s', split_part(s, '=', 1), split_part(s, '=', 2)) AS value
            FROM pg_proc, unnest(proconfig) AS s
            WHERE proname = 'claim_shards' AND s NOT LIKE 'search_path%'
            """
        )
        #expect(settings.count >= 7)
        return try rolledBack { connection in
            for setting in settings { try connection.execute(Query(script: setting)) }
            try connection.execute(
                Query(
                    script: """
                        PREPARE probe (bigint, text[], text[], int, int, timestamptz) AS \(statement)
                        """
                )
            )
            defer { _ = try? connection.execute("DEALLOCATE probe") }
            return try connection.execute(
                Query(
                    script: """
                        EXPLAIN (ANALYZE, COSTS off, TIMING off)
                        EXECUTE probe (\(daemon), '{m,n}', '{default}', 1, 40, now())
                        """
                )
            ).map { try $0.text("QUERY PLAN") }
        }
    }

    private func rows(_ line: String) -> Int {
        line.firstMatch(of: /actual rows=(\d+)/).flatMap { Int($0.1) } ?? .max
    }

    private func rolledBack<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try queue.connection.execute("BEGIN")
        defer { _ = try? queue.connection.execute("ROLLBACK") }
        return try body(queue.connection)
    }
}
