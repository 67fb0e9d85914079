import Postgres
import TestSupport
import Testing

@Suite("enqueue")
struct EnqueueTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    static let shapes: [(String, String, String)] = [
        ("point_score", "image_generation", #"{"caption":"c","image":"p","id":"x"}"#),
        (
            "point_score", "image_understanding",
            #"{"question":"q","image":{"path":"p"},"response":""}"#
        ),
        ("pair_rank", "image_generation", #"{"caption":"c","first":"p","second":{"path":"q"}}"#),
        (
            "pair_rank", "image_understanding",
            #"{"question":"q","image":"p","first":"","second":"b"}"#
        ),
        ("build_pairs", "image_generation", #"{"caption":"c","candidates":["p",{"path":"q"}]}"#),
        (
            "build_pairs", "image_understanding",
            #"{"question":"q","image":"p","candidates":["","b"]}"#
        ),
        ("point_score", "video_generation", #"{"caption":"c","video":{"frames":["p","q"]}}"#),
        (
            "point_score", "video_understanding",
            #"{"question":"q","video":{"frames":["p",{"path":"q"},"r"]},"response":""}"#
        ),
        (
            "pair_rank", "video_generation",
            #"{"caption":"c","first":{"frames":["p","q"]},"second":{"frames":["r","s"]}}"#
        ),
        (
            "pair_rank", "video_understanding",
            #"{"question":"q","video":{"frames":["p","q"]},"first":"","second":"b"}"#
        ),
        (
            "build_pairs", "video_generation",
            #"{"caption":"c","candidates":[{"frames":["p","q"]},{"frames":["r","s"]}]}"#
        ),
        (
            "build_pairs", "video_understanding",
            #"{"question":"q","video":{"frames":["p","q"]},"candidates":["","b"]}"#
        ),
        ("point_score", "video_generation", #"{"caption":"c","video":"p.mp4"}"#),
        (
            "pair_rank", "video_generation",
            #"{"caption":"c","first":{"path":"p.mp4"},"second":{"frames":["r","s"]}}"#
        ),
        (
            "build_pairs", "video_generation",
            #"{"caption":"c","candidates":["p.mp4",{"path":"q.webm"},{"frames":["r","s"]}]}"#
        ),
    ]

    @Test("takes every kind and task")
    func accepts() throws {
        for (kind, task, item) in Self.shapes {
            let job = try queue.number(
                "SELECT rewardd.enqueue(\(kind), \("[\(item)]")::jsonb, \(task), 'm') AS value"
            )
            #expect(try queue.status(job) == "ready 1 0 0", "\(kind) \(task)")
            let stored = try queue.text(
                "SELECT payload::text AS value FROM rewardd.item WHERE job_id = \(job)"
            )
            #expect(try queue.text("SELECT \(item)::jsonb::text AS value") == stored)
        }
    }

    @Test("cuts items into shards of shard_size, and NULL arguments mean the defaults")
    func shards() throws {
        let job = try queue.enqueue(items: 7, options: #"{"shard_size": 3, "max_attempts": 2}"#)
        #expect(
            try queue.shards(job) == [
                "ready 0+3 d0 f0 a0 c0", "ready 3+3 d0 f0 a0 c0", "ready 6+1 d0 f0 a0 c0",
            ]
        )
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
        let empty = try alice.refusal {
            _ = try alice.text("SELECT rewardd.put_media('') AS value")
        }
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
