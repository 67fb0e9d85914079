import Foundation
import Glibc
import Postgres
import Synchronization
import TestSupport
import Testing

/// A daemon whose model is on a server.
@Suite("A daemon with a remote engine", .serialized)
struct DaemonRemoteTests {
    private static let model = FakeChatModel([
        (
            "Two pictures were made",
            [
                "Image 1 is better than Image 2.": 0.75, "Image 2 is better than Image 1.": 0.125,
                "Both images are equally good.": 0.125,
            ]
        ),
        (
            "This picture was made",
            [
                "Final Score: 1": 0.0625, "Final Score: 2": 0.0625, "Final Score: 3": 0.125,
                "Final Score: 4": 0.5, "Final Score: 5": 0.25,
            ]
        ),
    ])

    private static let pictures = (1...3).map { "\(Repository.pictures)/left-right-\($0)" }

    @Test("judges by probabilities and by words, and stores what the server said")
    func judges() throws {
        let bench = try Workbench()
        let stub = try HTTPStub { request, _ in Self.model.reply(to: request) }
        let daemon = try bench.daemon(settings: "engine.remote.url = \(stub.url)")
        let pair = try enqueue(bench, "pair_rank", pairItems(1))
        #expect(try bench.end(of: pair, daemon: daemon) == "completed")
        // The server prefers what is shown first, both ways round: a tie that says so.
        let verdict = try bench.connection.execute(
            """
            SELECT result ->> 'verdict' AS verdict, (result ->> 'order_sensitive')::boolean AS sensitive
            FROM rewardd.item_result WHERE job_id = \(pair)
            """
        )[0]
        #expect(try verdict.text("verdict") == "tie" && verdict.bool("sensitive"))
        let row = try bench.connection.execute(
            """
            SELECT raw_response, prompt_tokens, seconds > 0 AS timed,
                round((probabilities ->> 'first')::numeric, 6)::float8 AS first,
                round((probabilities ->> 'tie')::numeric, 6)::float8 AS tie
            FROM rewardd.judgement
            WHERE job_id = \(pair) AND presentation_order = 'first_second'
            """
        )[0]
        #expect(try row.double("first") == 0.75 && row.double("tie") == 0.125)
        #expect(try row.text("raw_response") == "Image 1 is better than Image 2.")
        #expect(try row.int64("prompt_tokens") > 0 && row.bool("timed"))

        let score = try enqueue(bench, "point_score", Workbench.pointItems(2))
        #expect(try bench.end(of: score, daemon: daemon) == "completed")
        let words = try enqueue(
            bench,
            "point_score",
            Workbench.pointItems(2),
            options: #"{"answer": "generate"}"#
        )
        #expect(try bench.end(of: words, daemon: daemon) == "completed")
        for (job, wanted) in [(score, 3.8125), (words, 4.0)] {
            #expect(
                try bench.number(
                    """
                    SELECT count(*) AS n FROM rewardd.item_result WHERE job_id = \(job)
                        AND round((result ->> 'score')::numeric, 6) = \(wanted)::numeric
                    """
                ) == 2
            )
        }
        try bench.wait("the daemon's report", daemon: daemon) {
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.engine_status
                WHERE model = 'remote' AND state = 'reachable' AND url = \(stub.url)
                    AND served_model = 'reward' AND answered > 4 AND in_flight = 0
                """
            ) == 1
        }
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("shares answers between jobs only where the configuration names the weights")
    func reuse() throws {
        let bench = try Workbench()
        let stub = try HTTPStub { request, _ in Self.model.reply(to: request) }
        let daemon = try bench.daemon(
            settings: """
                engine.remote.url = \(stub.url)
                engine.remote.prefill = yes
                engine.remote.pictures = yes
                engine.named.url = \(stub.url)
                engine.named.prefill = yes
                engine.named.pictures = yes
                engine.named.revision = 1
                """
        )
        for (model, asked) in [("remote", 2), ("named", 1)] {
            let before = questions(stub)
            for _ in 0..<2 {
                let job = try enqueue(bench, "point_score", Workbench.pointItems(1), model: model)
                #expect(try bench.end(of: job, daemon: daemon) == "completed")
            }
            #expect(questions(stub) - before == asked, "\(model)")
        }
    }

    @Test("whose server is killed takes the work up again when it is back")
    func killed() throws {
        let bench = try Workbench()
        let answered = Mutex(0)
        let first = try HTTPStub { request, _ in
            guard request.path != "/v1/models" else { return Self.model.reply(to: request) }
            let count = answered.withLock { count in
                count += 1
                return count
            }
            // Some answers, then none: the server hangs until it is killed.
            return count <= 3 ? Self.model.reply(to: request) : .nothing
        }
        let settings = """
            engine.remote.url = \(first.url)
            engine.remote.prefill = yes
            engine.remote.pictures = yes
            engine.remote.retries = 0
            """
        let daemon = try bench.daemon(settings: settings)
        let job = try enqueue(bench, "point_score", Workbench.pointItems(6))
        try bench.wait("three answers and a question", daemon: daemon) {
            answered.withLock { $0 } > 3
        }
        try bench.wait("a stored judgement", daemon: daemon) {
            try bench.number("SELECT count(*) AS n FROM rewardd.judgement") > 0
        }
        first.stop()
        try bench.wait("the report that nobody is there", daemon: daemon) {
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.engine_status
                WHERE state = 'unreachable' AND error LIKE '%expected an answer, got none%'
                """
            ) == 1
        }
        let second = try HTTPStub(port: first.port) { request, _ in Self.model.reply(to: request) }
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        #expect(
            try bench.number(
                "SELECT items_done AS n FROM rewardd.job WHERE job_id = \(job) AND items_failed = 0"
            ) == 6
        )
        // What was committed before is not asked again.
        let kept = try bench.number("SELECT count(*) AS n FROM rewardd.judgement")
        #expect(kept == 6 && questions(second) < 6)
    }

    @Test("waits for a server that is down, and loses no attempt by it")
    func down() throws {
        let bench = try Workbench()
        let gone = try HTTPStub { request, _ in Self.model.reply(to: request) }
        let (port, url) = (gone.port, gone.url)
        gone.stop()
        let daemon = try bench.daemon(
            settings: """
                engine.remote.url = \(url)
                engine.remote.prefill = yes
                engine.remote.pictures = yes
                engine.remote.retries = 0
                """
        )
        let job = try enqueue(
            bench,
            "point_score",
            Workbench.pointItems(3),
            options: #"{"max_attempts": 1, "shard_size": 1}"#
        )
        try bench.wait("the report that nobody is there", daemon: daemon) {
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.engine_status
                WHERE state = 'unreachable' AND failed > 1
                """
            ) == 1
        }
        #expect(
            try bench.number(
                """
                SELECT count(*) AS n FROM rewardd.shard
                WHERE job_id = \(job) AND state = 'ready' AND attempts = 0
                """
            ) == 3
        )
        let back = try HTTPStub(port: port) { request, _ in Self.model.reply(to: request) }
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        #expect(
            try bench.number(
                "SELECT items_done AS n FROM rewardd.job WHERE job_id = \(job) AND items_failed = 0"
            ) == 3
        )
        #expect(questions(back) == 3)
    }

    @Test("fails the item over whose question the server fails each time, and no other")
    func poisoned() throws {
        let bench = try Workbench()
        let asked = Mutex<[Int]>([])
        let stub = try HTTPStub { request, _ in
            let body = String(decoding: request.body, as: UTF8.self)
            guard let number = (0..<6).first(where: { body.contains("picture number \($0) ") })
            else { return Self.model.reply(to: request) }
            asked.withLock { $0.append(number) }
            switch number {
            case 1: return .json(#"{"error": {"message": "out of range"}}"#, status: 500)
            case 4: return .json(#"{"choices": [{"message""#)
            default: return Self.model.reply(to: request)
            }
        }
        let daemon = try bench.daemon(
            settings: """
                engine.remote.url = \(stub.url)
                engine.remote.prefill = yes
                engine.remote.pictures = yes
                engine.remote.retries = 0
                """
        )
        let job = try enqueue(
            bench,
            "point_score",
            Workbench.pointItems(6),
            options: #"{"max_attempts": 2, "shard_size": 6}"#
        )
        #expect(try bench.end(of: job, daemon: daemon) == "completed")
        let failed = try bench.connection.execute(
            """
            SELECT item_index, error_code, error FROM rewardd.item_result
            WHERE job_id = \(job) AND state = 'failed' ORDER BY item_index
            """
        )
        #expect(try failed.map { try $0.int64("item_index") } == [1, 4])
        #expect(try failed.allSatisfy { try $0.text("error_code") == "remote_failed" })
        #expect(try failed[0].text("error").hasPrefix("gave up after 2 attempts: http://"))
        #expect(try failed[0].text("error").hasSuffix("got status 500: out of range"))
        #expect(
            try bench.number("SELECT items_done AS n FROM rewardd.job WHERE job_id = \(job)") == 4
        )
        // Once in the first attempt, if it came that far, and once in the last.
        #expect(asked.withLock { $0.count { $0 == 1 } } == 2)
    }

    @Test("leaves the server alone when a job is cancelled, and fails what it refuses by name")
    func cancelled() async throws {
        let bench = try Workbench()
        let questions = Mutex(0)
        let stub = try HTTPStub { request, _ in
            if request.path == "/v1/models" { return Self.model.reply(to: request) }
            let number = questions.withLock { count in
                count += 1
                return count
            }
            return number == 1
                ? .nothing : .json(#"{"error": {"message": "no pictures here"}}"#, status: 400)
        }
        let daemon = try bench.daemon(
            settings: """
                engine.remote.url = \(stub.url)
                engine.remote.prefill = yes
                engine.remote.pictures = yes
                """
        )
        let job = try enqueue(bench, "point_score", Workbench.pointItems(1))
        try bench.wait("the question", daemon: daemon) {
            questions.withLock { $0 } > 0
        }
        let start = ContinuousClock.now
        _ = try bench.connection.execute("SELECT rewardd.cancel(\(job))")
        await stub.hungUp()
        // A second where the processors are free; by itself the request would end after 120.
        #expect(start.duration(to: .now) < .seconds(20))
        #expect(try bench.end(of: job, daemon: daemon) == "cancelled")

        let refused = try enqueue(bench, "point_score", Workbench.pointItems(1))
        #expect(try bench.end(of: refused, daemon: daemon) == "failed")
        let row = try bench.connection.execute(
            "SELECT error_code, error FROM rewardd.item_result WHERE job_id = \(refused)"
        )[0]
        #expect(try row.text("error_code") == "remote_refused")
        #expect(try row.text("error").hasSuffix("status 400: no pictures here"))
    }

    private func enqueue(
        _ bench: Workbench,
        _ kind: String,
        _ items: String,
        model: String = "remote",
        options: String = "{}"
    ) throws -> Int64 {
        try bench.enqueue(kind: kind, model: model, items: items, options: options)
    }

    private func pairItems(_ count: Int) -> String {
        let items = (0..<count).map {
            """
            {"caption": "number \($0)", "first": "\(Self.pictures[0]).png",
             "second": "\(Self.pictures[1]).jpg"}
            """
        }
        return "[" + items.joined(separator: ",") + "]"
    }

    /// How many questions a server was asked that are about pictures.
    private func questions(_ stub: HTTPStub) -> Int {
        stub.requests.count { $0.path == "/v1/chat/completions" }
    }
}
