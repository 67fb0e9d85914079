import Postgres
import TestSupport
import Testing

@Suite("enqueue")
struct EnqueueTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let arguments: String
        let message: String
        var state = SQLState.invalidParameterValue
        var testDescription: String { message }
    }

    private static let good = #"[{"caption":"a","image":"a.png"}]"#
    private static let paths = #"a path, {"path": …} or {"media": …}"#

    private static func point(_ item: String) -> String {
        "'point_score', '[{\"caption\":\"a\",\"image\":\"b\"},\(item)]', 'image_generation', 'm'"
    }

    static let refusals: [Refusal] = [
        Refusal(
            arguments: "'score', '\(good)', 'image_generation', 'm'",
            message: #"kind: expected one of point_score, pair_rank, build_pairs, got "score""#
        ),
        Refusal(
            arguments: "NULL, '\(good)', 'image_generation', 'm'",
            message: "kind: expected one of point_score, pair_rank, build_pairs, got nothing"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'video', 'm'",
            message:
                #"task: expected one of image_generation, image_understanding, got "video""#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', ' m'",
            message: #"model: expected a name of 1 to 200 characters, got " m""#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', NULL",
            message: "model: expected a name of 1 to 200 characters, got nothing"
        ),
        Refusal(
            arguments: "'point_score', '{}', 'image_generation', 'm'",
            message: "items: expected an array of 1 to 1000000 items, got {}"
        ),
        Refusal(
            arguments: "'point_score', NULL, 'image_generation', 'm'",
            message: "items: expected an array of 1 to 1000000 items, got nothing"
        ),
        Refusal(
            arguments: "'point_score', '[]', 'image_generation', 'm'",
            message: "items: expected an array of 1 to 1000000 items, got 0"
        ),
        Refusal(arguments: point("3"), message: "items[1]: expected an object, got 3"),
        Refusal(
            arguments: point(#"{"caption":"a","image":null}"#),
            message: "items[1].image: expected \(paths), got null"
        ),
        Refusal(
            arguments: point(#"{"caption":"a"}"#),
            message: "items[1].image: expected \(paths), got nothing"
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":{"path":"x","media":"y"}}"#),
            message: #"items[1].image: expected \#(paths), got {"path": "x", "media": "y"}"#
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":{"media":"AB"}}"#),
            message: #"items[1].image: expected \#(paths), got {"media": "AB"}"#
        ),
        Refusal(
            arguments: point(#"{"caption":"","image":"b"}"#),
            message: #"items[1].caption: expected a string of 1 to 100000 characters, got """#
        ),
        Refusal(
            arguments: point(#"{"caption":["x"],"image":"b"}"#),
            message:
                "items[1].caption: expected a string of 1 to 100000 characters, got an array of 1"
        ),
        Refusal(
            arguments: """
                'point_score', jsonb_build_array(jsonb_build_object(
                    'caption', repeat('x', 100001), 'image', 'b')), 'image_generation', 'm'
                """,
            message: """
                items[0].caption: expected a string of 1 to 100000 characters, \
                got a string of 100001 characters
                """
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":"b","img":1}"#),
            message:
                "items[1].img: expected one of the fields caption, image and id, got an unknown one"
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":"b","id":7}"#),
            message: "items[1].id: expected a string of 1 to 200 characters, got 7"
        ),
        Refusal(
            arguments: """
                'build_pairs', '[{"caption":"a","candidates":["x"]}]', 'image_generation', 'm'
                """,
            message: "items[0].candidates: expected an array of 2 to 64 candidates, got an array of 1"
        ),
        Refusal(
            arguments: """
                'build_pairs', '[{"caption":"a","candidates":["x","y",true]}]',
                'image_generation', 'm'
                """,
            message: "items[0].candidates[2]: expected \(paths), got true"
        ),
        Refusal(
            arguments: """
                'build_pairs', '[{"question":"q","image":"i","candidates":["x",{"path":"y"}]}]',
                'image_understanding', 'm'
                """,
            message: """
                items[0].candidates[1]: expected a string of at most 100000 characters, \
                got {"path": "y"}
                """
        ),
        Refusal(
            arguments: """
                'pair_rank', '[{"question":"q","image":"i","first":"x","second":5}]',
                'image_understanding', 'm'
                """,
            message: "items[0].second: expected a string of at most 100000 characters, got 5"
        ),
        Refusal(
            arguments: point(#"{"caption":"a","image":{"media":"\#(String(repeating: "0", count: 64))"}}"#),
            message: """
                items[1].image: expected media uploaded by "postgres", \
                got unknown digest \(String(repeating: "0", count: 64))
                """
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '[]'",
            message: "options: expected an object, got an array of 0"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"foo\":1}'",
            message: "options.foo: expected a known option, got an unknown one"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"shard_size\":0}'",
            message: "options.shard_size: expected a whole number from 1 to 1000, got 0"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"max_attempts\":1.5}'",
            message: "options.max_attempts: expected a whole number from 1 to 100, got 1.5"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"orders\":\"all\"}'",
            message: #"options.orders: expected "both" or "single", got "all""#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"answer\":null}'",
            message: #"options.answer: expected "choices" or "generate", got null"#
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', '{\"reuse\":\"no\"}'",
            message: #"options.reuse: expected true or false, got "no""#
        ),
        Refusal(
            arguments:
                "'point_score', '\(good)', 'image_generation', 'm', '{\"margin_minimum\":-1}'",
            message: "options.margin_minimum: expected a number from 0 to 1000000, got -1"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', priority => 1001",
            message: "priority: expected -1000 to 1000, got 1001"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', run_at => 'infinity'",
            message: "run_at: expected a time, got infinity"
        ),
        Refusal(
            arguments: "'point_score', '\(good)', 'image_generation', 'm', queue => 'night'",
            message: #"queue: expected an existing queue, got "night""#,
            state: .noDataFound
        ),
        Refusal(
            arguments: """
                'point_score', '\(good)', 'image_generation', 'm',
                idempotency_key => repeat('k', 201)
                """,
            message: "idempotency_key: expected a name of 1 to 200 characters, got 201 characters"
        ),
    ]

    @Test("refuses with the path, both sides and a way out, and stores nothing", arguments: refusals)
    func refuses(_ refusal: Refusal) throws {
        let error = try queue.refusal {
            try queue.connection.execute(
                Query(script: "SELECT rewardd.enqueue(\(refusal.arguments))")
            )
        }
        #expect(error?.message == refusal.message)
        #expect(error?.sqlState == refusal.state)
        #expect(error?.hint?.isEmpty == false)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.job") == 0)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.item") == 0)
    }

    static let shapes: [(String, String, String)] = [
        ("point_score", "image_generation", #"{"caption":"c","image":"p","id":"x"}"#),
        ("point_score", "image_understanding", #"{"question":"q","image":{"path":"p"},"response":""}"#),
        ("pair_rank", "image_generation", #"{"caption":"c","first":"p","second":{"path":"q"}}"#),
        ("pair_rank", "image_understanding", #"{"question":"q","image":"p","first":"","second":"b"}"#),
        ("build_pairs", "image_generation", #"{"caption":"c","candidates":["p",{"path":"q"}]}"#),
        ("build_pairs", "image_understanding", #"{"question":"q","image":"p","candidates":["","b"]}"#),
    ]

    @Test("takes every kind and task", arguments: shapes)
    func accepts(kind: String, task: String, item: String) throws {
        let job = try queue.number(
            "SELECT rewardd.enqueue(\(kind), \("[\(item)]")::jsonb, \(task), 'm') AS value"
        )
        #expect(try queue.status(job) == "ready 1 0 0")
        let stored = try queue.text(
            "SELECT payload::text AS value FROM rewardd.item WHERE job_id = \(job)"
        )
        #expect(try queue.text("SELECT \(item)::jsonb::text AS value") == stored)
    }

    @Test("cuts items into shards of shard_size, and NULL arguments mean the defaults")
    func shards() throws {
        let job = try queue.enqueue(items: 7, options: #"{"shard_size": 3, "max_attempts": 2}"#)
        #expect(
            try queue.shards(job) == [
                "ready 0+3 d0 f0 a0 c0", "ready 3+3 d0 f0 a0 c0", "ready 6+1 d0 f0 a0 c0",
            ])
        let other = try queue.number(
            """
            SELECT rewardd.enqueue('point_score', '[{"caption":"a","image":"b"}]', 'image_generation',
                'm', NULL, NULL, NULL, NULL, NULL) AS value
            """
        )
        #expect(try queue.status(other) == "ready 1 0 0")
        #expect(try queue.events(other) == ["enqueued"])
    }

    @Test("is undone with the caller's transaction, and kept with it")
    func transactional() throws {
        try queue.connection.execute("CREATE TABLE public.orders (job bigint)")
        try? queue.connection.transaction { connection in
            let job = try queue.enqueue()
            try connection.execute("INSERT INTO public.orders VALUES (\(job))")
            throw PostgresError(.invalidInput, "the caller changed its mind")
        }
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.shard") == 0)
        try queue.connection.transaction { connection in
            let job = try queue.enqueue()
            try connection.execute("INSERT INTO public.orders VALUES (\(job))")
        }
        let kept = try queue.number(
            "SELECT count(*) AS value FROM public.orders o JOIN rewardd.job j ON j.job_id = o.job"
        )
        #expect(kept == 1)
    }

    @Test("gives the same job for the same key and request, and refuses another request")
    func idempotent() throws {
        let job = try queue.enqueue(items: 2, key: "nightly")
        #expect(try queue.enqueue(items: 2, key: "nightly") == job)
        try queue.connection.execute("SELECT rewardd.create_queue('other')")
        #expect(try queue.enqueue(items: 2, queue: "other", key: "nightly") != job)
        let error = try queue.refusal { try queue.enqueue(items: 3, key: "nightly") }
        #expect(error?.sqlState == .wrongState)
        #expect(
            error?.message
                == "idempotency_key: expected the request of job \(job) again, got a different one"
        )
        #expect(error?.hint == "Use a new key for a new request.")
    }

    @Test("gives 64 concurrent callers with one key one job")
    func storm() throws {
        let database = queue.database
        let jobs = try onThreads(64) { _ in
            try QueueFixture(database: database).enqueue(items: 3, key: "storm")
        }
        #expect(jobs.count == 64 && Set(jobs).count == 1)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.item") == 3)
    }

    @Test("takes stored media from its uploader only")
    func media() throws {
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        let digest = try alice.text("SELECT rewardd.put_media('\\x0102') AS value")
        #expect(try alice.text("SELECT rewardd.put_media('\\x0102') AS value") == digest)
        let items = #"[{"caption":"c","candidates":["p",{"media":"\#(digest)"}]}]"#
        func submit(_ user: QueueFixture) throws -> Int {
            try user.number(
                """
                SELECT rewardd.enqueue('build_pairs', \(items)::jsonb, 'image_generation', 'm') AS value
                """
            )
        }
        #expect(try submit(alice) > 0)
        let error = try bob.refusal { _ = try submit(bob) }
        #expect(error?.message.hasPrefix("items[0].candidates: expected media uploaded by") == true)
        _ = try bob.text("SELECT rewardd.put_media('\\x0102') AS value")
        #expect(try submit(bob) > 0)
        #expect(try queue.number("SELECT count(*) AS value FROM rewardd.media") == 1)
        let stored = try queue.connection.execute(
            "SELECT rewardd.get_media(decode(\(digest), 'hex')) AS bytes"
        ).only()
        #expect(try stored.bytes("bytes") == [1, 2])
        let empty = try alice.refusal { _ = try alice.text("SELECT rewardd.put_media('') AS value") }
        #expect(empty?.message == "bytes: expected 1 to 67108864 bytes, got 0")
    }

    @Test("wakes the queue's idle daemon and nobody otherwise")
    func wakes() throws {
        try queue.connection.listen("rewardd_wake")
        let daemon = try queue.register()
        try queue.enqueue()
        #expect(try queue.connection.waitForNotification(timeout: .milliseconds(20)).isEmpty)
        _ = try queue.claim(daemon)
        #expect(try queue.claim(daemon).isEmpty)
        try queue.enqueue()
        let heard = try queue.connection.waitForNotification(timeout: .seconds(5))
        #expect(heard.map(\.payload) == ["default"])
    }
}
