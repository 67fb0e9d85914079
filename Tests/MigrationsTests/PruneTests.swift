import Postgres
import TestSupport
import Testing

@Suite("retention and prune")
struct PruneTests {
    let queue: QueueFixture
    let daemon: Int

    init() throws {
        queue = try QueueFixture()
        daemon = try queue.register()
    }

    /// A judgement of one item under a fingerprint of one repeated hexadecimal digit.
    private func judgement(_ digit: Character, item: Int = 0) -> String {
        #"{"item_index": \#(item), "fingerprint": "\#(String(repeating: digit, count: 64))", "kind":"#
            + #" "point_score", "template_id": "t", "answer_mode": "choices"}"#
    }

    /// Enqueues and finishes a job whose first item stores or finds these judgements.
    @discardableResult
    private func work(
        items: Int = 1,
        stores: String = "",
        finds: String = "",
        options: String = "{}",
        lane: String = "default"
    ) throws -> Int {
        let job = try queue.enqueue(items: items, options: options, queue: lane)
        let worker = try queue.register(queues: [lane])
        while let lease = try queue.claim(worker, queues: [lane]).first {
            for digit in finds where lease.items.contains(0) {
                #expect(try find(digit, job: lease.job) == 1)
            }
            let used = (stores + finds).map { #""\#(String(repeating: $0, count: 64))""# }
            let results = lease.items.map { item in
                #"{"item_index": \#(item), "state": "completed", "result": {}, "judgements": ["#
                    + (item == 0 ? used.joined(separator: ",") : "") + "]}"
            }
            _ = try queue.checkpoint(
                lease,
                judgements: lease.items.contains(0)
                    ? "[" + stores.map { judgement($0) }.joined(separator: ",") + "]" : "[]",
                results: "[" + results.joined(separator: ",") + "]"
            )
            _ = try queue.finish(lease, "done")
        }
        return job
    }

    private func find(_ digit: Character, job: Int?) throws -> Int {
        let hex = String(repeating: digit, count: 64)
        return try queue.connection.execute(
            "SELECT * FROM rewardd.find_judgements(ARRAY[decode(\(hex), 'hex')], \(job))"
        ).count
    }

    private func age(_ job: Int, _ age: String = "2 days") throws {
        try queue.connection.execute(
            """
            UPDATE rewardd.job SET finished_at = finished_at - \(age)::interval WHERE job_id = \(job)
            """
        )
    }

    private func keep(_ retention: String?, _ name: String = "default") throws {
        try queue.connection.execute(
            "SELECT rewardd.set_queue_retention(\(name), \(retention)::interval)"
        )
    }

    /// Prunes until nothing is left; returns the number of jobs gone.
    @discardableResult
    private func prune(rows limit: Int = 2000) throws -> Int {
        var jobs = 0
        while true {
            let row = try queue.connection.execute("SELECT * FROM rewardd.prune(\(limit)::int)")
                .only()
            if try row.int("rows") == 0 { return jobs }
            jobs += try row.int("jobs")
        }
    }

    /// Rows of a job in every table that has some.
    private func traces(_ job: Int) throws -> [String] {
        var found: [String] = []
        for table in [
            "job", "shard", "item", "item_result", "preference_pair", "judgement", "judgement_use",
            "media_use", "event",
        ] {
            let count = try queue.number(
                "SELECT count(*) AS value FROM rewardd.\(identifier: table) WHERE job_id = \(job)"
            )
            if count > 0 { found.append(table) }
        }
        return found
    }

    private var judgements: String {
        get throws {
            try queue.list(
                """
                SELECT left(encode(fingerprint, 'hex'), 1) AS value
                FROM rewardd.judgement ORDER BY fingerprint
                """
            ).joined()
        }
    }

    @Test("jobs past the retention of their queue go with everything; others stay")
    func retention() throws {
        try queue.connection.execute("SELECT rewardd.create_queue('night')")
        let old = try work(items: 3, stores: "ab")
        let young = try work(stores: "c")
        let kept = try work(stores: "d", lane: "night")
        let live = try queue.enqueue()
        try age(old)
        try age(kept)
        #expect(try prune() == 0)
        try keep("1 day")
        #expect(try prune() == 1)
        #expect(try traces(old) == [])
        for job in [young, kept] {
            #expect(
                try traces(job) == ["job", "shard", "item", "item_result", "judgement", "event"]
            )
        }
        #expect(try queue.status(live) == "ready 1 0 0")
        #expect(try judgements == "cd")
    }

    @Test("a job of many rows goes over many short calls, whoever makes them")
    func batches() throws {
        let job = try work(items: 300, stores: "a", options: #"{"shard_size": 7}"#)
        try age(job)
        try keep("1 day")
        var calls = 0
        var rows: [Int] = []
        while true {
            let removed = try queue.connection.execute("SELECT * FROM rewardd.prune(100)").only()
            if try removed.int("rows") == 0 { break }
            rows.append(try removed.int("rows"))
            calls += 1
            if calls == 1 {
                // Half gone: nobody may take it up again, and its number tells nothing.
                let refused = try queue.refusal { _ = try queue.retry(job) }
                #expect(refused?.sqlState == .noDataFound)
            }
        }
        #expect(calls > 5)
        #expect(rows.allSatisfy { $0 <= 300 }, "\(rows)")
        #expect(try traces(job) == [])
    }

    @Test("judgements that another job found stay until that job goes, whichever goes first")
    func reuse() throws {
        let asked = try work(stores: "ab")
        let found = try work(finds: "a")
        let both = try work(finds: "ab")
        try keep("1 day")
        try age(asked)
        #expect(try prune() == 1)
        #expect(try judgements == "ab")
        // The reader's view goes on showing what its items rest on.
        let shown = try queue.number(
            "SELECT count(*) AS value FROM rewardd.job_judgement WHERE job_id = \(both) AND reused"
        )
        #expect(shown == 2)
        #expect(try find("a", job: nil) == 1)
        try age(both)
        #expect(try prune() == 1)
        #expect(try judgements == "a")
        try age(found)
        #expect(try prune() == 1)
        #expect(try judgements == "")
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.judgement_use") == 0)
    }

    @Test("a judgement found by a running job stays, though nothing rests on it yet")
    func foundOnly() throws {
        let asked = try work(stores: "a")
        let other = try queue.enqueue()
        #expect(try find("a", job: other) == 1)
        try keep("1 day")
        try age(asked)
        #expect(try prune() == 1)
        #expect(try judgements == "a")
    }

    @Test("a job that asked again what another has stored keeps that one's judgement")
    func askedTwice() throws {
        let first = try work(stores: "a")
        let second = try work(stores: "ab")
        try keep("1 day")
        try age(first)
        try prune()
        #expect(try judgements == "ab")
        try age(second)
        try prune()
        #expect(try judgements == "")
    }

    @Test("a large job that goes step by step leaves nothing behind when its reader goes meanwhile")
    func interleaved() throws {
        let asked = try work(items: 200, stores: "a", options: #"{"shard_size": 50}"#)
        let found = try work(finds: "a")
        try keep("1 day")
        try age(asked, "3 days")
        _ = try queue.connection.execute("SELECT * FROM rewardd.prune(20)")
        #expect(try judgements == "a")
        try age(found)
        try prune()
        #expect(try judgements == "")
        #expect(try traces(asked) + traces(found) == [])
    }

    @Test("what a finder has locked is not removed under it, and prune does not wait")
    func race() throws {
        let asked = try work(stores: "a")
        try keep("1 day")
        try age(asked)
        let other = try queue.another()
        let job = try queue.enqueue()
        try other.connection.execute("BEGIN")
        let hex = String(repeating: "a", count: 64)
        let found = try other.connection.execute(
            "SELECT * FROM rewardd.find_judgements(ARRAY[decode(\(hex), 'hex')], \(job))"
        )
        #expect(found.count == 1)
        try queue.connection.execute("SET statement_timeout = '5s'")
        #expect(try prune() == 1)
        try other.connection.execute("COMMIT")
        #expect(try judgements == "a")
    }

    @Test("one call at a time removes something; the others return at once")
    func alone() throws {
        try age(work())
        try keep("1 day")
        let other = try queue.another()
        try other.connection.execute("BEGIN")
        #expect(
            try other.number("SELECT jobs AS value FROM rewardd.prune()") == 1
        )
        try queue.connection.execute("SET statement_timeout = '5s'")
        #expect(try queue.number("SELECT rows AS value FROM rewardd.prune()") == 0)
        try other.connection.execute("ROLLBACK")
        #expect(try prune() == 1)
    }

    @Test("a locked job is left for later, and its key is free once it is being removed")
    func locked() throws {
        let job = try queue.enqueue(key: "k")
        _ = try queue.finish(queue.claim(daemon)[0], "fail")
        try age(job)
        try keep("1 day")
        let other = try queue.another()
        try other.connection.execute("BEGIN")
        try other.connection.execute("SELECT FROM rewardd.job WHERE job_id = \(job) FOR UPDATE")
        try queue.connection.execute("SET statement_timeout = '5s'")
        #expect(try prune() == 0)
        try other.connection.execute("COMMIT")
        #expect(try prune() == 1)
        #expect(try queue.enqueue(items: 2, key: "k") > job)
    }

    @Test("a model stays its submitter's after the train job is gone")
    func models() throws {
        let alice = try queue.login("rewardd_submit")
        let job = try alice.enqueueTraining()
        let lease = try #require(try queue.claimTraining(queue.register(models: ["train/m"])))
        #expect(try queue.registerModel(lease, digest: 7) == "ok")
        _ = try queue.checkpoint(lease, completed: [0])
        _ = try queue.finish(lease, "done")
        try age(job)
        try keep("1 day")
        #expect(try prune() == 1)
        #expect(
            try alice.list("SELECT name AS value FROM rewardd.model_status") == ["scenes-2"]
        )
        let bob = try queue.login("rewardd_submit")
        #expect(try bob.list("SELECT name AS value FROM rewardd.model_status").isEmpty)
    }

    @Test("an administrator removes by age and queue, and asks before what would go")
    func byHand() throws {
        try queue.connection.execute("SELECT rewardd.create_queue('night')")
        let old = try work(items: 5)
        let other = try work(lane: "night")
        try age(old)
        try age(other)
        let admin = try queue.login("rewardd_admin")
        func ask(_ lane: String?) throws -> [String] {
            try admin.list(
                """
                SELECT concat_ws(' ', name, jobs, items) AS value
                FROM rewardd.prunable_jobs('1 day', \(lane))
                """
            )
        }
        #expect(try ask(nil) == ["default 1 5", "night 1 1"])
        #expect(try ask("night") == ["night 1 1"])
        #expect(
            try admin.number("SELECT jobs AS value FROM rewardd.prune_jobs('1 day', 'night')") == 1
        )
        #expect(try ask(nil) == ["default 1 5"])
        #expect(try admin.number("SELECT rows AS value FROM rewardd.prune_jobs('3 days')") == 0)
        for (call, message) in [
            ("prune_jobs(NULL)", "older_than: expected an interval from 1 minute on, got nothing"),
            ("prune_jobs('1 day', 'no')", #"queue: expected an existing queue, got "no""#),
            ("prune(0)", "max_rows: expected a whole number from 1 to 100000, got 0"),
        ] {
            let error = try admin.refusal {
                try admin.connection.execute(Query(script: "SELECT rewardd.\(call)"))
            }
            #expect(error?.message == message)
        }
    }
}
