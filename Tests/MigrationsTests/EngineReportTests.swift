import Postgres
import TestSupport
import Testing

@Suite("report_engines")
struct EngineReportTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    private static let two = """
        [{"model": "a", "url": "http://a/v1", "served_model": "A", "reachable": true, "in_flight": 3,
          "answered": 40, "failed": 1, "error": "gone", "error_at": "2026-11-28T12:00:00Z"},
         {"model": "b", "url": "http://b/v1"}]
        """

    @Test("keeps what a daemon said last, and nothing it no longer speaks of")
    func replaces() throws {
        let daemon = try queue.register()
        #expect(try report(daemon, Self.two))
        #expect(
            try states() == [
                "a reachable 3 40 1 gone", "b unknown 0 0 0 -",
            ]
        )
        #expect(try report(daemon, #"[{"model": "b", "url": "http://b/v1", "reachable": false}]"#))
        #expect(try states() == ["b unreachable 0 0 0 -"])
        #expect(try report(daemon, "[]"))
        #expect(try states().isEmpty)
    }

    @Test("is for daemons that live; what the others said is marked")
    func stopped() throws {
        let daemon = try queue.register()
        let other = try queue.register()
        #expect(try report(daemon, Self.two))
        _ = try queue.connection.execute("SELECT rewardd.stop_daemon(\(daemon))")
        #expect(try report(daemon, Self.two) == false)
        #expect(try report(4711, "[]") == false)
        #expect(try report(other, #"[{"model": "a", "url": "http://a/v1", "reachable": true}]"#))
        #expect(
            try states() == [
                "a stopped 3 40 1 gone", "a reachable 0 0 0 -", "b stopped 0 0 0 -",
            ]
        )
        // Long gone ones are forgotten when another daemon begins to tell.
        _ = try queue.connection.execute(
            "UPDATE rewardd.daemon SET stopped_at = now() - interval '8 days' WHERE daemon_id = \(daemon)"
        )
        #expect(try report(try queue.register(), "[]"))
        #expect(try states() == ["a reachable 0 0 0 -"])
    }

    @Test(
        "refuses what is no list of engines",
        arguments: [
            ("{}", "engines: expected an array, got object"), ("null", "got null"),
            ("[1]", "engines[].model: expected a name"), ("[{}]", "engines[].model"),
            (#"[{"model": "a"}]"#, "engines[].url: expected a name"),
            (#"[{"model": "a\u001b", "url": "http://a"}]"#, "engines[].model"),
            (#"[{"model": "a", "url": "http://a", "in_flight": "many"}]"#, "integer"),
        ]
    )
    func refusals(json: String, sentence: String) throws {
        let daemon = try queue.register()
        let error = #expect(throws: PostgresError.self) { try report(daemon, json) }
        #expect(error.map { "\($0)".contains(sentence) } == true, "\(String(describing: error))")
    }

    private func report(_ daemon: Int, _ json: String) throws -> Bool {
        try queue.connection.execute(
            "SELECT rewardd.report_engines(\(daemon), \(json)::jsonb) AS known"
        ).only().bool("known")
    }

    private func states() throws -> [String] {
        try queue.list(
            """
            SELECT concat_ws(' ', model, state, in_flight, answered, failed, coalesce(error, '-'))
                AS value
            FROM rewardd.engine_status ORDER BY model, daemon_id
            """
        )
    }
}
