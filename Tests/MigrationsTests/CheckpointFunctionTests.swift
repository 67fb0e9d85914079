import Postgres
import TestSupport
import Testing

@Suite("checkpoint")
struct CheckpointFunctionTests {
    let queue: QueueFixture
    let daemon: Int

    init() throws {
        queue = try QueueFixture()
        daemon = try queue.register()
    }

    private static let fingerprint = String(repeating: "ab", count: 32)

    private static func judgement(item: Int, fingerprint: String = fingerprint) -> String {
        """
        {"item_index": \(item), "fingerprint": "\(fingerprint)", "kind": "point_score",
         "template_id": "t/v1", "answer_mode": "choices", "score": 3.5, "scale_minimum": 1,
         "scale_maximum": 5, "spread": 0.5, "probabilities": {"3": 0.5, "4": 0.5},
         "raw_response": "4", "prompt_tokens": 12, "generated_tokens": 1, "seconds": 0.25,
         "model_digest": "00ff"}
        """
    }

    private func everything() throws -> [String] {
        try queue.list(
            """
            SELECT line AS value FROM (
                SELECT 'r' || r::text FROM rewardd.item_result r
                UNION ALL SELECT 'j' || j::text FROM rewardd.judgement j
                UNION ALL SELECT 'p' || p::text FROM rewardd.preference_pair p
                UNION ALL SELECT 's' || s::text FROM rewardd.shard s
                UNION ALL SELECT 'o' || o::text FROM rewardd.job o
            ) AS all_rows (line) ORDER BY line
            """
        )
    }

    @Test("stores judgements, results and pairs, and shows them in the views")
    func stores() throws {
        let job = try queue.enqueue(items: 3)
        let lease = try queue.claim(daemon)[0]
        let results = """
            [{"item_index": 0, "state": "completed", "result": {"score": 3.5}, "error": null,
              "judgements": ["\(Self.fingerprint)"], "pair": {"chosen_index": 1, "rejected_index": 0,
              "chosen": "b", "rejected": {"path": "a"}, "chosen_score": 4, "rejected_score": 2,
              "margin": 2, "evidence": {"why": 1}}},
             {"item_index": 2, "state": "failed", "error_code": "unparsed", "error": "no verdict",
              "pair": null}]
            """
        #expect(
            try queue.checkpoint(
                lease,
                judgements: "[\(Self.judgement(item: 0))]",
                results: results
            )
                == "ok"
        )
        #expect(try queue.results(job) == ["0 completed", "2 failed unparsed"])
        #expect(try queue.status(job) == "running 3 1 1")
        let pair = try queue.connection.execute("SELECT * FROM rewardd.pair").only()
        #expect(try pair.text("rejected") == #"{"path": "a"}"# && pair.double("margin") == 2)
        let found = try queue.connection.execute(
            """
            SELECT * FROM rewardd.find_judgements(ARRAY[decode(\(Self.fingerprint), 'hex'), '\\x00'])
            """
        ).only()
        #expect(try found.double("score") == 3.5 && found.text("task") == "image_generation")
        #expect(try found.text("model") == "m" && found.bytes("model_digest") == [0, 255])
        let shown = try queue.connection.execute("SELECT * FROM rewardd.job_judgement").only()
        #expect(try !shown.bool("reused") && shown.text("raw_response") == "4")
    }

    @Test("sent again changes nothing, and the first result of an item stays")
    func replay() throws {
        let job = try queue.enqueue(items: 2)
        let lease = try queue.claim(daemon)[0]
        let judgements = "[\(Self.judgement(item: 0)), \(Self.judgement(item: 1))]"
        #expect(try queue.checkpoint(lease, completed: [0], judgements: judgements) == "ok")
        let before = try everything()
        #expect(try queue.checkpoint(lease, completed: [0, 0], judgements: judgements) == "ok")
        #expect(try queue.checkpoint(lease, failed: [0]) == "ok")
        #expect(try queue.checkpoint(lease, judgements: "[]", results: "[]") == "ok")
        #expect(try everything() == before)
        #expect(try queue.checkpoint(lease, completed: [1, 1], failed: [1]) == "ok")
        #expect(try queue.results(job) == ["0 completed", "1 completed"])
        #expect(try queue.shards(job) == ["running 0+2 d2 f0 a1 c0"])
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.judgement") == 1)
    }

    @Test("shows a reused judgement with the job that reused it")
    func reused() throws {
        try queue.enqueue(items: 1)
        let first = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(first, completed: [0], judgements: "[\(Self.judgement(item: 0))]")
        _ = try queue.finish(first, "done")
        let job = try queue.enqueue(items: 1)
        let second = try queue.claim(daemon)[0]
        let result = """
            [{"item_index": 0, "state": "completed", "result": {}, "judgements": ["\(Self.fingerprint)"]}]
            """
        _ = try queue.checkpoint(second, judgements: "[]", results: result)
        let row = try queue.connection.execute(
            "SELECT * FROM rewardd.job_judgement WHERE job_id = \(job)"
        ).only()
        #expect(try row.bool("reused") && row.int64IfPresent("shard_id") == nil)
    }

    enum Thief: CaseIterable {
        case rescued, released, otherShard, random, null
    }

    @Test("under any other token is lost and writes nothing", arguments: Thief.allCases)
    func fenced(thief: Thief) throws {
        try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let leases = try queue.claim(daemon, max: 2)
        let mine = leases[0]
        var shard = mine.shard
        var token: Int? = mine.token
        switch thief {
        case .rescued: #expect(try queue.kill(daemon) == 2)
        case .released:
            #expect(try queue.finish(mine, "release") == "ok")
            #expect(try queue.claim(daemon)[0].shard == mine.shard)
        case .otherShard: shard = leases[1].shard
        case .random: token = mine.token + 1_000_000
        case .null: token = nil
        }
        let before = try everything()
        let reply = try queue.text(
            """
            SELECT rewardd.checkpoint(\(shard), \(token), \("[\(Self.judgement(item: 0))]")::jsonb,
                '[{"item_index": 0, "state": "completed", "result": {}}]') AS value
            """
        )
        #expect(reply == "lost")
        for outcome in ["done", "release", "retry", "fail"] {
            let reply = try queue.text(
                "SELECT rewardd.finish_shard(\(shard), \(token), \(outcome)) AS value"
            )
            #expect(reply == "lost")
        }
        #expect(try everything() == before)
    }

    static let refusals: [(String, String, String)] = [
        (
            "[]", #"[{"item_index": 2, "state": "completed", "result": {}}]"#,
            "item_results[0].item_index: expected an item of the shard, 0 to 1, got 2"
        ),
        (
            #"[{"item_index": -1}]"#, "[]",
            "judgements[0].item_index: expected an item of the shard, 0 to 1, got -1"
        ),
        (
            #"[{"item_index": 0}, {}]"#, "[]",
            "judgements[1].item_index: expected an item of the shard, 0 to 1, got nothing"
        ),
        ("{}", "[]", "judgements: expected an array, got {}"),
        ("[]", "3", "item_results: expected an array, got 3"),
        (
            "[]", #"[{"item_index": 0, "state": "completed"}]"#,
            """
            item_results[0]: expected state "completed" with a result or "failed" with an error_code \
            and no pair, got state "completed" without
            """
        ),
        (
            "[]", #"[{"item_index": 0, "state": "failed", "error_code": ""}]"#,
            """
            item_results[0]: expected state "completed" with a result or "failed" with an error_code \
            and no pair, got state "failed" without
            """
        ),
        (
            "[]", #"[{"item_index": 1, "state": "maybe", "result": {}}]"#,
            """
            item_results[0]: expected state "completed" with a result or "failed" with an error_code \
            and no pair, got state "maybe" without
            """
        ),
    ]

    @Test("refuses entries outside the lease or without sense, naming them")
    func refuses() throws {
        try queue.enqueue(items: 4, options: #"{"shard_size": 2}"#)
        let lease = try queue.claim(daemon)[0]
        let before = try everything()
        for (judgements, results, message) in Self.refusals {
            let error = try queue.refusal {
                _ = try queue.checkpoint(lease, judgements: judgements, results: results)
            }
            #expect(error?.message == message)
            #expect(error?.sqlState == .invalidParameterValue && error?.hint?.isEmpty == false)
            #expect(try everything() == before)
        }
    }

    @Test("of the same judgements by four daemons at once stores each once")
    func contended() throws {
        try queue.enqueue(items: 4, options: #"{"shard_size": 1}"#)
        let database = queue.database
        let daemon = daemon
        let leases = try queue.claim(daemon, max: 4)
        let replies = try onThreads(4) { index in
            let own = try QueueFixture(database: database)
            var replies: Set<String> = []
            for round in 0..<5 {
                // Each daemon sends the same fingerprints in an order of its own.
                let prints = (0..<16).map { ($0 * (2 * index + 1)) % 16 + 16 * (round + 1) }
                let entries = prints.map { number in
                    Self.judgement(
                        item: index,
                        fingerprint: String(repeating: "0", count: 61)
                            + String(number + 256, radix: 16)
                    )
                }
                let joined = "[\(entries.joined(separator: ","))]"
                replies.insert(
                    try own.checkpoint(leases[index], judgements: joined, results: "[]")
                )
            }
            return replies
        }
        #expect(replies.allSatisfy { $0 == ["ok"] })
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.judgement") == 80)
    }
}
