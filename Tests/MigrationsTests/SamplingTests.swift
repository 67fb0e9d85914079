import Postgres
import TestSupport
import Testing

/// Jobs whose candidates are sampled: what enqueue takes, where their shards wait, what is kept of them.
@Suite("Sampled candidates in the queue")
struct SamplingTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    private static let item = #"{"question":"q","image":"i.png","id":"a"}"#

    @discardableResult
    private func enqueue(
        _ options: String = #"{"policy":"writer"}"#,
        kind: String = "build_pairs",
        task: String = "image_understanding",
        items: String = "[\(item)]"
    ) throws -> Int {
        try queue.number(
            """
            SELECT rewardd.enqueue(\(kind), \(items)::jsonb, \(task), 'judge', \(options)::jsonb)
                AS value
            """
        )
    }

    @Test("every option is taken, for pictures and for clips")
    func accepted() throws {
        try enqueue(
            """
            {"policy":"writer","candidates":64,"temperature":0.01,"top_p":1,"top_k":1,
             "max_candidate_tokens":4096,"seed":7,"plan":"round_robin"}
            """
        )
        try enqueue(
            task: "video_understanding",
            items:
                #"[{"question":"q","video":"v.mp4"},{"question":"q","video":{"frames":["a","b"]}}]"#
        )
        let job = try enqueue(#"{"policy":"judge"}"#)
        #expect(
            try queue.text(
                "SELECT payload::text AS value FROM rewardd.item WHERE job_id = \(job)"
            ) == #"{"id": "a", "image": "i.png", "question": "q"}"#
        )
    }

    @Test("what does not go together is refused, and nothing is stored")
    func refused() throws {
        let cases: [(() throws -> Int, String)] = [
            (
                { try enqueue(items: #"[{"question":"q","image":"i","candidates":["a","b"]}]"#) },
                "items[0].candidates: expected nothing, because the option policy has them "
                    + "sampled, got an array of 2"
            ),
            (
                { try enqueue("{}") },
                "items[0].candidates: expected an array of 2 to 64 candidates, got nothing"
            ),
            (
                { try enqueue(items: #"[{"question":"q","image":"i","label":"first"}]"#) },
                "items[0].label: expected one of the fields question, image, candidates and id, "
                    + "got an unknown one"
            ),
            (
                { try enqueue(#"{"temperature":0.7}"#) },
                "options.temperature: expected the option policy with it, got none"
            ),
            (
                { try enqueue(#"{"policy":7}"#) },
                "options.policy: expected the name of a model, got 7"
            ),
            (
                { try enqueue(#"{"policy":" a"}"#) },
                #"options.policy: expected a name of 1 to 200 characters, got " a""#
            ),
            (
                { try enqueue(#"{"policy":"train/a"}"#) },
                #"options.policy: expected the name of a model, got "train/a""#
            ),
            (
                { try enqueue(#"{"policy":"p","candidates":1}"#) },
                "options.candidates: expected a whole number from 2 to 64, got 1"
            ),
            (
                { try enqueue(#"{"policy":"p","temperature":0}"#) },
                "options.temperature: expected a number from 0.01 to 2, got 0"
            ),
            (
                { try enqueue(#"{"policy":"p","top_p":1.1}"#) },
                "options.top_p: expected a number from 0.01 to 1, got 1.1"
            ),
            (
                {
                    try enqueue(
                        kind: "pair_rank",
                        items: #"[{"question":"q","image":"i","first":"a","second":"b"}]"#
                    )
                },
                "options.policy: expected a build_pairs job, got pair_rank"
            ),
            (
                {
                    try enqueue(
                        task: "image_generation",
                        items: #"[{"caption":"c","candidates":["a","b"]}]"#
                    )
                },
                "options.policy: expected the task image_understanding or video_understanding, "
                    + "whose candidates are texts, got image_generation"
            ),
            (
                { try queue.enqueue(model: "sample/a=b") },
                #"model: expected a name that does not start with "sample/", got "sample/a=b""#
            ),
        ]
        for (submit, message) in cases {
            let error = try queue.refusal { _ = try submit() }
            #expect(error?.message == message)
            #expect(error?.sqlState == .invalidParameterValue)
            #expect(error?.hint?.isEmpty == false)
        }
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 0)
    }

    @Test("only a daemon that offers both models claims a shard, also after a retry")
    func routing() throws {
        let apart = try enqueue()
        let same = try enqueue(#"{"policy":"judge"}"#)
        let judge = try queue.register(models: ["judge"])
        #expect(try queue.claim(judge, max: 9, models: ["judge"]).map(\.job) == [same])
        #expect(try queue.claim(judge, max: 9, models: ["writer"]).isEmpty)
        let label = "sample/writer=judge"
        let both = try queue.register(models: ["judge", "writer", label])
        let unserved = "SELECT count(*) AS value FROM rewardd.check_queues()"
        #expect(try queue.number(Query(script: unserved)) == 0)
        let lease = try #require(queue.claim(both, max: 9, models: [label]).first)
        #expect(lease.job == apart)
        #expect(try queue.checkpoint(lease, failed: [0]) == "ok")
        #expect(try queue.finish(lease, "done") == "ok")
        #expect(try queue.retry(apart) == 1)
        #expect(
            try queue.list(
                "SELECT model AS value FROM rewardd.shard WHERE job_id = \(apart) ORDER BY shard_id"
            ) == [label, label]
        )
    }

    @Test("a candidate is kept with how it was decoded, found again, and shown to readers")
    func stored() throws {
        let job = try enqueue()
        let daemon = try queue.register()
        let lease = try #require(queue.claim(daemon, models: ["sample/writer=judge"]).first)
        let print = String(repeating: "ab", count: 32)
        let candidate = """
            [{"fingerprint": "\(print)", "item_index": 0, "kind": "candidate",
              "model": "writer", "template_id": "candidate", "answer_mode": "sample",
              "raw_response": "two dogs", "decoding": {"temperature": 0.7, "finish": "stop"}}]
            """
        #expect(try queue.checkpoint(lease, judgements: candidate, results: "[]") == "ok")
        let row = try queue.connection.execute(
            """
            SELECT raw_response, decoding ->> 'finish' AS finish, model, task
            FROM rewardd.find_judgements(ARRAY[decode(\(print), 'hex')], \(job))
            """
        ).only()
        #expect(try row.text("raw_response") == "two dogs" && row.text("finish") == "stop")
        #expect(try row.text("model") == "writer" && row.text("task") == "image_understanding")
        #expect(
            try queue.text(
                """
                SELECT decoding ->> 'temperature' AS value FROM rewardd.job_judgement
                WHERE job_id = \(job)
                """
            ) == "0.7"
        )
    }

    @Test("a schedule takes such jobs too, and checks them alike")
    func schedule() throws {
        func make(_ items: String) throws {
            try queue.connection.execute(
                """
                SELECT rewardd.create_schedule('nightly', '0 2 * * *', 'build_pairs',
                    \(items)::jsonb, 'image_understanding', 'judge',
                    options => '{"policy": "writer"}')
                """
            )
        }
        try make("[\(Self.item)]")
        let job = try queue.number("SELECT rewardd.run_schedule('nightly') AS value")
        #expect(
            try queue.text("SELECT model AS value FROM rewardd.shard WHERE job_id = \(job)")
                == "sample/writer=judge"
        )
        let error = try queue.refusal {
            try make(#"[{"question":"q","image":"i","candidates":["a","b"]}]"#)
        }
        #expect(error?.message.hasPrefix("items[0].candidates: expected nothing") == true)
    }
}
