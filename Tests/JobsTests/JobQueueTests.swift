import Jobs
import Logging
import Postgres
import TestSupport
import Testing

/// The queue's Swift face against the real migrations.
@Suite("Job queue")
struct JobQueueTests {
    private let database: TemporaryDatabase
    private let connection: Connection
    private let queue: JobQueue

    init() throws {
        database = try TemporaryDatabase.migrated()
        connection = try database.connect()
        queue = JobQueue(
            session: Session(
                url: try database.makeLogin(memberOf: ["rewardd_work"]),
                applicationName: "tests",
                name: "pg-test",
                logger: LogCapture().logger
            )
        )
    }

    /// A job of point scores in one shard; returns its number.
    private func enqueue(items: Int, options: String = "{}", priority: Int = 0) throws -> Int64 {
        let payloads = (0..<items).map {
            #"{"caption": "a \"red\" cube\n\#($0)", "image": "/i/\#($0).png"}"#
        }
        return try connection.execute(
            """
            SELECT rewardd.enqueue(kind => 'point_score',
                items => \(json: "[" + payloads.joined(separator: ",") + "]"),
                task => 'image_generation', model => 'scenes', options => \(json: options),
                priority => \(priority)::int) AS id
            """
        ).only().int64("id")
    }

    private func register() async throws -> Int64 {
        try await queue.register(
            DaemonRegistration(
                host: "h",
                processID: 7,
                version: "1",
                models: ["scenes"],
                queues: ["default"]
            )
        )
    }

    private func claim(_ daemon: Int64) async throws -> [ClaimedShard] {
        try await queue.claim(
            daemonID: daemon,
            models: ["scenes"],
            queues: ["default"],
            maximum: 4
        )
    }

    private func result(_ index: Int) -> ItemResultRow {
        ItemResultRow(
            itemIndex: index,
            outcome: .completed(json: #"{"score": 3.5}"#),
            judgements: [digest(index)]
        )
    }

    private func digest(_ seed: Int) -> [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed) }
    }

    private func judgement(_ index: Int) -> JudgementRow {
        JudgementRow(
            fingerprint: digest(index),
            itemIndex: index,
            kind: "point_score",
            task: "image_generation",
            modelDigest: digest(100),
            templateID: "point_score/v1",
            templateDigest: digest(101),
            answerMode: "choices",
            rawResponse: "Score: \"4\"\n\u{1}\\ 日本",
            score: 3.7,
            scaleMinimum: 1,
            scaleMaximum: 5,
            spread: 0.25,
            criteriaJSON: #"[{"name": "style", "scale": [1, 5], "score": 3.5}]"#,
            probabilities: ["1": 0.125, "a\"b": 1e-20],
            promptTokens: 1840,
            generatedTokens: 3,
            seconds: 0.5
        )
    }

    @Test("claim, checkpoint and finish take a job to completed")
    func wholeJob() async throws {
        let job = try enqueue(items: 3, options: #"{"answer": "generate"}"#, priority: -7)
        let daemon = try await register()
        let shards = try await claim(daemon)
        let shard = try #require(shards.first)
        #expect(shards.count == 1)
        #expect(shard.jobID == job)
        #expect(shard.kind == "point_score" && shard.task == "image_generation")
        #expect(shard.model == "scenes" && shard.attempt == 1 && shard.priority == -7)
        #expect(shard.firstItem == 0 && shard.itemCount == 3)
        #expect(shard.items.map(\.index) == [0, 1, 2])
        #expect(String(decoding: shard.options, as: UTF8.self).contains(#""answer": "generate""#))
        #expect(
            String(decoding: shard.items[1].payload, as: UTF8.self)
                == #"{"image": "/i/1.png", "caption": "a \"red\" cube\n1"}"#
        )
        #expect(try await claim(daemon).isEmpty)

        let rows = [0, 1].map(judgement)
        #expect(
            try await queue.checkpoint(shard.lease, judgements: rows, results: [result(0)]) == .ok
        )
        // Sending it again, as after a lost answer, changes nothing.
        #expect(
            try await queue.checkpoint(shard.lease, judgements: rows, results: [result(0)]) == .ok
        )
        let failed = ItemResultRow(
            itemIndex: 2,
            outcome: .failed(code: "unparsed", message: "no \"verdict\"\u{0} found")
        )
        #expect(
            try await queue.checkpoint(shard.lease, judgements: [], results: [result(1), failed])
                == .ok
        )
        #expect(try await queue.finish(shard.lease, .done) == .ok)
        #expect(try await queue.finish(shard.lease, .done) == .lost)

        let status = try connection.execute(
            "SELECT state, items_done, items_failed FROM rewardd.job_status WHERE job_id = \(job)"
        ).only()
        #expect(try status.text("state") == "completed")
        #expect(try status.int("items_done") == 2 && status.int("items_failed") == 1)
        let error = try connection.execute(
            "SELECT error FROM rewardd.result WHERE job_id = \(job) AND item_index = 2"
        ).only().text("error")
        #expect(error == "no \"verdict\"\u{fffd} found")
    }

    @Test("judgements come back as they were stored")
    func judgements() async throws {
        _ = try enqueue(items: 2)
        let shard = try #require(try await claim(register()).first)
        let row = judgement(1)
        _ = try await queue.checkpoint(shard.lease, judgements: [row], results: [])
        let found = try await queue.findJudgements([digest(1), digest(55)], job: shard.jobID)
        var expected = row
        expected.model = "scenes"
        #expect(found == [expected])
        #expect(try await queue.findJudgements([], job: shard.jobID).isEmpty)
        let other = try await queue.findJudgements([digest(1)], job: try enqueue(items: 1))
        #expect(other == [expected])
        let uses = try connection.execute("SELECT count(*) AS n FROM rewardd.judgement_use").only()
        #expect(try uses.int("n") == 1)
    }

    @Test("jobs older than the retention of their queue are removed, and the call says how much")
    func prune() async throws {
        _ = try enqueue(items: 2)
        let shard = try #require(try await claim(register()).first)
        #expect(try await queue.finish(shard.lease, .fail(reason: "gone")) == .ok)
        #expect(try await queue.prune() == (jobs: 0, rows: 0))
        try connection.execute("UPDATE rewardd.queue SET retention = '1 minute'")
        try connection.execute("UPDATE rewardd.job SET finished_at = now() - interval '1 hour'")
        let removed = try await queue.prune()
        #expect(removed.jobs == 1 && removed.rows > 5)
        #expect(try await queue.prune() == (jobs: 0, rows: 0))
    }

    @Test("a preference pair is stored with its item")
    func pairs() async throws {
        let items = #"[{"caption": "c", "candidates": ["/a.png", {"path": "/b.png"}]}]"#
        let job = try connection.execute(
            """
            SELECT rewardd.enqueue(kind => 'build_pairs', items => \(json: items),
                task => 'image_generation', model => 'scenes') AS id
            """
        ).only().int64("id")
        let shard = try #require(try await claim(register()).first)
        let pair = PairRow(
            chosenIndex: 1,
            rejectedIndex: 0,
            chosenJSON: #"{"path": "/b.png"}"#,
            rejectedJSON: #""/a.png""#,
            chosenScore: 4.5,
            rejectedScore: 2,
            margin: 2.5,
            evidenceJSON: #"{"comparisons": []}"#
        )
        let row = ItemResultRow(
            itemIndex: 0,
            outcome: .completed(json: #"{"pair": {}}"#),
            pair: pair
        )
        #expect(try await queue.checkpoint(shard.lease, judgements: [], results: [row]) == .ok)
        #expect(try await queue.finish(shard.lease, .done) == .ok)
        let stored = try connection.execute(
            "SELECT chosen_index, rejected, margin FROM rewardd.pair WHERE job_id = \(job)"
        ).only()
        #expect(try stored.int("chosen_index") == 1)
        #expect(String(decoding: try stored.json("rejected"), as: UTF8.self) == #""/a.png""#)
        #expect(try stored.double("margin") == 2.5)
    }

    @Test("after a rescue the old lease is lost and the next daemon gets what is left")
    func rescue() async throws {
        _ = try enqueue(items: 2)
        let first = try await register()
        let shard = try #require(try await claim(first).first)
        #expect(
            try await queue.checkpoint(shard.lease, judgements: [], results: [result(0)]) == .ok
        )
        try connection.execute(
            """
            UPDATE rewardd.daemon SET lease_until = now() - interval '1 s'
            WHERE daemon_id = \(first)
            """
        )
        #expect(try await queue.rescue() == 1)

        #expect(
            try await queue.checkpoint(shard.lease, judgements: [], results: [result(1)]) == .lost
        )
        #expect(try await queue.finish(shard.lease, .release(reason: nil)) == .lost)
        #expect(try await queue.heartbeat(daemonID: first, idle: false) == .unknown)

        let again = try #require(try await claim(register()).first)
        #expect(
            again.lease.shardID == shard.lease.shardID && again.lease.token != shard.lease.token
        )
        #expect(again.items.map(\.index) == [1])
        #expect(again.itemCount == 2)
    }

    @Test("cancel reaches the owner by look-up and by the next checkpoint")
    func cancel() async throws {
        let job = try enqueue(items: 2)
        let daemon = try await register()
        let shard = try #require(try await claim(daemon).first)
        #expect(try await queue.cancelledShards(daemonID: daemon).isEmpty)
        try connection.execute("SELECT rewardd.cancel(job_id => \(job))")
        #expect(try await queue.cancelledShards(daemonID: daemon) == [shard.lease.shardID])
        #expect(
            try await queue.checkpoint(shard.lease, judgements: [], results: [result(0)]) == .cancel
        )
        #expect(try await queue.finish(shard.lease, .release(reason: "cancelled")) == .cancel)
        #expect(try await queue.cancelledShards(daemonID: daemon).isEmpty)
    }

    @Test("retry, release and fail end a lease each in its way")
    func outcomes() async throws {
        let job = try enqueue(items: 1, options: #"{"max_attempts": 2}"#)
        let daemon = try await register()
        let first = try #require(try await claim(daemon).first)
        #expect(try await queue.finish(first.lease, .release(reason: "shutdown")) == .ok)
        let second = try #require(try await claim(daemon).first)
        #expect(second.attempt == 1)
        let retry = FinishOutcome.retry(reason: "disk \"full\"", after: .zero)
        #expect(try await queue.finish(second.lease, retry) == .ok)
        let third = try #require(try await claim(daemon).first)
        #expect(third.attempt == 2)
        #expect(try await queue.finish(third.lease, .fail(reason: "no such model")) == .ok)
        let row = try connection.execute(
            "SELECT error_code, error FROM rewardd.result WHERE job_id = \(job)"
        ).only()
        #expect(try row.text("error_code") == "shard_failed")
        #expect(try row.text("error").contains("no such model"))
    }

    @Test("finishing with results missing is the server's sentence, not a retry")
    func unfinished() async throws {
        _ = try enqueue(items: 2)
        let shard = try #require(try await claim(register()).first)
        let error = await #expect(throws: PostgresError.self) {
            try await queue.finish(shard.lease, .done)
        }
        #expect(error?.sqlState == .wrongState)
        #expect(error?.message.contains("expected results for all 2 items") == true)
        let wrong = await #expect(throws: PostgresError.self) {
            try await queue.checkpoint(shard.lease, judgements: [], results: [result(9)])
        }
        #expect(wrong?.sqlState == .invalidParameterValue)
    }

    @Test("heartbeats say ok, drain and unknown")
    func heartbeats() async throws {
        let daemon = try await register()
        #expect(try await queue.heartbeat(daemonID: daemon, idle: true) == .ok)
        #expect(try await queue.holdLock(daemonID: daemon))
        try connection.execute("SELECT rewardd.drain_daemon(daemon_id => \(daemon))")
        #expect(try await queue.heartbeat(daemonID: daemon, idle: false) == .drain)
        try await queue.stopDaemon(daemonID: daemon)
        #expect(try await queue.heartbeat(daemonID: daemon, idle: false) == .unknown)
        #expect(try await queue.heartbeat(daemonID: 999_999, idle: false) == .unknown)
    }

    @Test("uploaded media come back byte for byte")
    func media() async throws {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let hex = try connection.execute("SELECT rewardd.put_media(bytes => \(bytes)) AS digest")
            .only().text("digest")
        let digest = try connection.execute("SELECT decode(\(hex), 'hex') AS d").only().bytes("d")
        #expect(try await queue.media(digest: digest) == bytes)
        #expect(try await queue.media(digest: [1, 2, 3]) == nil)
    }
}
