import Migrations
import Postgres
import TestSupport
import Testing

@Suite("turns between submitters")
struct FairShareTests {
    let queue: QueueFixture
    let alice: QueueFixture
    let bob: QueueFixture
    let daemon: Int

    init() throws {
        queue = try QueueFixture()
        alice = try queue.login("rewardd_submit")
        bob = try queue.login("rewardd_submit")
        daemon = try queue.register(models: ["m", "n"])
    }

    /// Enqueues so many shards of one item as one job.
    @discardableResult
    private func submit(
        _ user: QueueFixture,
        _ shards: Int,
        model: String = "m",
        priority: Int = 0,
        runIn: String = "0 s"
    ) throws -> Int {
        try user.enqueue(
            items: shards,
            options: #"{"shard_size": 1}"#,
            model: model,
            priority: priority,
            runIn: runIn
        )
    }

    /// Claims one shard at a time and says whose each is.
    private func turns(_ count: Int, models: [String] = ["m"]) throws -> String {
        let owner = try alice.text("SELECT session_user::text AS value")
        var letters = ""
        for _ in 0..<count {
            guard let lease = try queue.claim(daemon, models: models).first else { return letters }
            let submitter = try queue.text(
                """
                SELECT submitted_by::text AS value FROM rewardd.job WHERE job_id = \(lease.job)
                """
            )
            letters += submitter == owner ? "a" : "b"
        }
        return letters
    }

    @Test("three shards do not wait behind a backlog, in one job or in many")
    func starvation() throws {
        try submit(alice, 500)
        for _ in 0..<20 { try submit(alice, 1) }
        try submit(bob, 3)
        #expect(try turns(9) == "abababaaa")
        let later = try submit(bob, 1)
        #expect(try queue.claim(daemon, max: 2).map(\.job).contains(later))
    }

    @Test("who comes late gets turns from then on and none for the time before")
    func latecomer() throws {
        try submit(alice, 60)
        #expect(try turns(20) == String(repeating: "a", count: 20))
        try submit(bob, 30)
        #expect(try turns(20) == String(repeating: "ab", count: 10))
    }

    @Test("a higher priority goes before all turns")
    func priority() throws {
        try submit(alice, 5)
        try submit(bob, 2)
        try submit(alice, 3, priority: 1)
        #expect(try turns(7) == "aaaabab")
    }

    @Test("turns go across the models that a daemon serves")
    func models() throws {
        try submit(alice, 100, model: "m")
        #expect(try turns(40) == String(repeating: "a", count: 40))
        try submit(bob, 3, model: "n")
        #expect(try turns(7, models: ["m", "n"]) == "abababa")
    }

    @Test("one submitter alone gets its shards in the order they came, however it enqueued them")
    func order() throws {
        var expected: [Int] = []
        for _ in 0..<3 { expected += Array(repeating: try submit(alice, 4), count: 4) }
        // In one statement, whose later calls must see what the earlier ones made.
        let several = try alice.connection.execute(
            """
            SELECT rewardd.enqueue('point_score', '[{"caption": "c", "image": "a.png"}]',
                'image_generation', 'm') AS job
            FROM generate_series(1, 5)
            """
        ).map { try $0.int("job") }
        expected += several
        var claimed = try queue.claim(daemon, max: 7).map(\.job)
        let last = try submit(alice, 2)
        claimed += try queue.claim(daemon, max: 100).map(\.job)
        #expect(claimed == expected + [last, last])
        let items = try queue.list(
            """
            SELECT string_agg(first_item::text, ' ' ORDER BY fair_seq) AS value
            FROM rewardd.shard GROUP BY job_id HAVING count(*) = 4
            """
        )
        #expect(items == ["0 1 2 3", "0 1 2 3", "0 1 2 3"])
    }

    @Test(
        "a shard that comes back from a daemon is the next",
        arguments: ["release", "die", "halve"]
    )
    func comesBack(how: String) throws {
        let job = try alice.enqueue(items: 2)
        try submit(bob, 50)
        try submit(alice, 50)
        for _ in 0..<(how == "halve" ? 3 : 1) {
            let other = try queue.register()
            let lease = try queue.claim(other)[0]
            #expect(lease.job == job)
            if how == "release" {
                _ = try queue.finish(lease, "release")
            } else {
                try queue.kill(other)
            }
        }
        let next = try queue.claim(daemon, max: 4).map(\.job)
        #expect(next.filter { $0 == job }.count == (how == "halve" ? 2 : 1))
        let rounds = try queue.number(
            """
            SELECT max(fair_seq) - min(fair_seq) AS value FROM rewardd.shard
            WHERE state = 'running' AND job_id = \(job)
            """
        )
        #expect(rounds == 0)
    }

    @Test(
        "a shard that is retried later goes behind its submitter's others, and not in front of all"
    )
    func retriedLater() throws {
        let job = try submit(alice, 1)
        try submit(alice, 3)
        try submit(bob, 10)
        let lease = try queue.claim(daemon)[0]
        #expect(try queue.finish(lease, "retry", retryIn: "1 hour") == "ok")
        try queue.connection.execute(
            "UPDATE rewardd.shard SET run_at = now() WHERE job_id = \(job)"
        )
        let claimed = try queue.claim(daemon, max: 14)
        #expect(claimed.count == 14)
        #expect(claimed.prefix(6).filter { $0.job == job }.isEmpty)
        #expect(claimed.firstIndex { $0.job == job } ?? 99 <= 8)
    }

    @Test("what becomes due takes turns like what arrives")
    func due() throws {
        let nightly = try submit(bob, 3, runIn: "1 hour")
        try submit(alice, 50)
        #expect(try turns(10) == "aaaaaaaaaa")
        try queue.connection.execute(
            """
            UPDATE rewardd.shard SET run_at = now() - interval '1 s' WHERE job_id = \(nightly)
            """
        )
        let next = try turns(8)
        #expect(next.filter { $0 == "b" }.count == 3, "\(next)")
        #expect(next.hasPrefix("ab") || next.hasPrefix("ba"))
        #expect(try queue.status(nightly) == "running 3 0 0")
    }

    @Test("a released job keeps turns that are still to come")
    func releasedInTime() throws {
        let jobs = [try submit(alice, 2), try submit(alice, 2), try submit(alice, 2)]
        #expect(try alice.hold(jobs[1]) == "held")
        #expect(try alice.release(jobs[1]) == "ready")
        #expect(try queue.claim(daemon, max: 6).map(\.job) == jobs.flatMap { [$0, $0] })
    }

    @Test("a job released after its turns have passed gets no more than a share")
    func releasedLate() throws {
        let held = try submit(alice, 20)
        #expect(try alice.hold(held) == "held")
        try submit(alice, 30)
        try submit(bob, 60)
        #expect(try turns(24).filter { $0 == "a" }.count == 12)
        #expect(try alice.release(held) == "ready")
        #expect(try turns(40).filter { $0 == "a" }.count == 20)
    }

    @Test("retry opens items behind the submitter's others")
    func reopened() throws {
        let failed = try submit(alice, 10)
        for lease in try queue.claim(daemon, max: 10) { _ = try queue.finish(lease, "fail") }
        try submit(alice, 5)
        try submit(bob, 30)
        #expect(try alice.retry(failed) == 10)
        #expect(try turns(20).filter { $0 == "a" }.count == 10)
    }

    @Test("transactions that enqueue at once do not wait for each other")
    func concurrent() throws {
        let other = try QueueFixture(
            database: queue.database,
            url: queue.database.cluster.url(
                database: queue.database.name,
                user: try alice.text("SELECT session_user::text AS value")
            )
        )
        try submit(bob, 1)
        try alice.connection.execute("BEGIN")
        try submit(alice, 5)
        try other.connection.execute("SET statement_timeout = '5s'")
        try submit(other, 5)
        try alice.connection.execute("COMMIT")
        try submit(bob, 10)
        // They share rounds: two turns of five each to one of the other submitter's.
        let next = try turns(15)
        #expect(next.filter { $0 == "b" }.count == 5, "\(next)")
        #expect(try turns(5) == "bbbbb")
    }

    @Test("what waited before the schema knew turns is interleaved")
    func upgrade() throws {
        let old = try QueueFixture(database: TemporaryDatabase.empty())
        func migrate(from current: Int, to target: Int) throws {
            for statement in MigrationPlan.statements(current: current, target: target) {
                try old.connection.execute(Query(script: statement))
            }
        }
        try migrate(from: 0, to: 26)
        let anna = try old.login("rewardd_submit")
        let ben = try old.login("rewardd_submit")
        let first = try anna.enqueue(items: 50, options: #"{"shard_size": 1}"#)
        let second = try ben.enqueue(items: 3, options: #"{"shard_size": 1}"#)
        try migrate(from: 26, to: MigrationCatalog.latest)
        let third = try ben.enqueue()
        let worker = try old.register()
        #expect(
            try old.claim(worker, max: 9).map(\.job)
                == [first, second, first, second, first, second, first, third, first]
        )
    }

    @Test("enqueue finds its place by a few steps into an index, with a key and without")
    func plan() throws {
        try queue.connection.execute(
            """
            INSERT INTO rewardd.shard (job_id, queue, model, priority, run_at, first_item, item_count,
                state, max_attempts, submitted_by, fair_seq)
            SELECT 1, 'default', 'm', 0, now(), i, 1, 'ready', 5,
                CASE i % 2 WHEN 0 THEN 'other' ELSE session_user END, i
            FROM generate_series(1, 100000) AS i
            """
        )
        try queue.connection.execute(
            """
            INSERT INTO rewardd.job (run_at, items_total, priority, state, kind, task, model, queue,
                idempotency_key, request_digest, options)
            SELECT now(), 1, 0, 'ready', 'point_score', 'image_generation', 'm', 'default',
                'key ' || i, '\\x00', '{}'
            FROM generate_series(1, 20000) AS i
            """
        )
        try queue.connection.execute("ANALYZE rewardd.shard, rewardd.job")
        try queue.connection.execute(
            """
            CREATE FUNCTION pg_temp.rows_read() RETURNS bigint LANGUAGE sql AS $$
                SELECT sum(pg_stat_get_xact_tuples_fetched(c.oid)
                    + pg_stat_get_xact_tuples_returned(c.oid))::bigint
                FROM pg_class c WHERE c.relnamespace = 'rewardd'::regnamespace
                    AND (c.relname LIKE 'shard%' OR c.relname LIKE 'job%') $$
            """
        )
        for key in [nil, "another key"] {
            try queue.connection.execute("BEGIN")
            let before = try queue.number("SELECT pg_temp.rows_read() AS value")
            let job = try queue.enqueue(key: key)
            let read = try queue.number("SELECT pg_temp.rows_read() - \(before) AS value")
            let place = try queue.number(
                "SELECT fair_seq AS value FROM rewardd.shard WHERE job_id = \(job)"
            )
            try queue.connection.execute("ROLLBACK")
            #expect(place == 100_000)
            #expect((1...20).contains(read), "\(read) rows read")
        }
    }
}
