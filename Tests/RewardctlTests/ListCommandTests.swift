import Postgres
import TestSupport
import Testing

@Suite("rewardctl get and describe")
struct ListCommandTests {
    private let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    @Test("jobs are listed newest first, by state, kind and queue")
    func jobs() throws {
        let first = try submit()
        let second = try submit(["--in", "1h"])
        let third = try submit(
            kind: "build_pairs",
            item: #"{"caption":"c","candidates":["/a","/b"]}"#
        )
        #expect(try get(["jobs", "-o", "name"]).lines == [third, second, first])
        #expect(try get(["jobs", "-o", "name", "--state", "scheduled"]).lines == [second])
        #expect(try get(["jobs", "-o", "name", "--kind", "build_pairs"]).lines == [third])
        #expect(try get(["jobs", "-o", "name", "--queue", "other"]).lines == [])
        #expect(try get(["jobs", "-o", "name", "-n", "1"]).lines == [third])
        #expect(try get(["jobs", "-o", "name", "-n", "1", "--all"]).lines.count == 3)
        let table = try get(["jobs"])
        #expect(table.lines.count == 4)
        #expect(
            table.lines.first?.split(separator: " ").map(String.init)
                == "ID STATE KIND QUEUE PRI PROGRESS FAILED AGE BY MODEL".split(separator: " ")
                .map(String.init)
        )
        #expect(try get(["jobs", "--no-headers"]).lines.count == 3)
        let missing = try get(["jobs", first, "999999"])
        #expect(missing.status == 3)
        #expect(missing.messages == "Error: job 999999: not found.\n")
        #expect(missing.lines.count == 2)
    }

    @Test("formats for programs keep one shape")
    func formats() throws {
        let id = try submit(["--key", "a,\"b\""])
        let json = try get(["jobs", "-o", "json"])
        #expect(json.output.hasPrefix(#"{"apiVersion":"rewardctl/v1","items":[{"job_id":\#(id),"#))
        let lines = try get(["jobs", "-o", "jsonl"])
        #expect(lines.lines.count == 1)
        #expect(lines.output.hasPrefix(#"{"job_id":\#(id),"kind":"point_score","#))
        #expect(!lines.output.contains("_age"))
        let csv = try get(["jobs", "-o", "csv"])
        #expect(
            csv.lines.first
                == "job_id,kind,task,model,queue,priority,state,items_total,items_done,items_failed,"
                + "shards_total,shards_running,submitted_by,idempotency_key,created_at,run_at,"
                + "started_at,finished_at,error,options,deadline_at"
        )
        #expect(csv.output.contains(#","a,""b""","#))
        #expect(try get(["queues", "-o", "json"]).output.contains(#""name":"default""#))
        #expect(try get(["daemons", "-o", "json"]).output.contains(#""items":[]"#))
    }

    @Test("control characters of data cannot reach the terminal in a table")
    func controlCharacters() throws {
        _ = try RewardctlProcess.run(
            [
                "submit", "point_score", "--task", "image_generation", "--model", "m\u{9B}2Jx",
                "--items", "-",
            ],
            input: SubmitCommandTests.item,
            url: database.url
        )
        let table = try get(["jobs"])
        #expect(!table.output.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x9B })
    }

    @Test("daemons are listed with what they work")
    func daemons() throws {
        let worker = try ScriptedWorker(database)
        let table = try get(["daemons"])
        #expect(table.lines.count == 2)
        #expect(table.output.contains("testhost"))
        #expect(try get(["daemons", "-o", "name"]).lines == ["\(worker.daemonID)"])
        #expect(try get(["daemons", "999999"]).status == 3)
    }

    @Test("servers are listed as daemons find them")
    func engines() throws {
        let worker = try ScriptedWorker(database)
        let report = """
            [{"model": "remote", "url": "http://gpu-1:8000/v1", "reachable": false, "in_flight": 2,
              "answered": 7, "failed": 1, "error": "no answer"}]
            """
        try database.connect().execute(
            "SELECT rewardd.report_engines(\(worker.daemonID), \(json: report)::jsonb)"
        )
        let table = try get(["engines"])
        #expect(table.lines.count == 2)
        #expect(table.output.contains("unreachable") && table.output.contains("no answer"))
        #expect(try get(["engines", "-o", "name"]).lines == ["remote"])
        let json = try get(["engines", "remote", "-o", "json"])
        #expect(json.output.contains(#""state":"unreachable""#))
        #expect(json.output.contains(#""in_flight":2,"answered":7,"failed":1,"error":"no answer""#))
        #expect(try get(["engines", "other"]).status == 3)
        try database.connect().execute("SELECT rewardd.stop_daemon(\(worker.daemonID))")
        #expect(try get(["engines", "-o", "name"]).lines == [])
        #expect(try get(["engines", "--all", "-o", "name"]).lines == ["remote"])
    }

    @Test("describe says why a job waits: daemons, model, schedule, queue")
    func waiting() throws {
        let id = try submit()
        #expect(try describe(id).contains("No daemon is running. Start rewardd."))
        _ = try ScriptedWorker(database, model: "other")
        #expect(
            try describe(id).contains("No running daemon offers model 'scenes' (offered: other).")
        )
        let worker = try ScriptedWorker(database)
        #expect(try describe(id).contains("Daemon \(worker.daemonID) could run it"))
        #expect(
            try RewardctlProcess.run(["queue", "pause", "default"], url: database.url).status == 0
        )
        let text = try describe(id)
        #expect(text.contains("Queue 'default' is paused since "))
        #expect(text.contains("'rewardctl queue resume default' opens it."))
        #expect(!text.contains("could run it"))
    }

    @Test("describe says that the server of the job's model does not answer")
    func silentServer() throws {
        let worker = try ScriptedWorker(database)
        let report = """
            [{"model": "scenes", "url": "http://gpu-1:8000/v1", "reachable": false, "in_flight": 0,
              "answered": 0, "failed": 1, "error": "http://gpu-1:8000/v1/models: none."}]
            """
        try database.connect().execute(
            "SELECT rewardd.report_engines(\(worker.daemonID), \(json: report)::jsonb)"
        )
        #expect(
            try describe(submit()).contains(
                "The server of model 'scenes' does not answer daemon \(worker.daemonID), which asks "
                    + "again until it does: http://gpu-1:8000/v1/models: none."
            )
        )
        try database.connect().execute("SELECT rewardd.stop_daemon(\(worker.daemonID))")
    }

    @Test("describe says that a queue runs as many shards as it may")
    func limit() throws {
        let settings = ["queue", "set", "default", "--max-running", "1"]
        #expect(try RewardctlProcess.run(settings, url: database.url).status == 0)
        let first = try submit()
        let second = try submit()
        let worker = try ScriptedWorker(database)
        try database.connect().execute(
            "SELECT FROM rewardd.claim_shards(\(worker.daemonID), '{scenes}', '{default}', 9)"
        )
        #expect(!(try describe(first).contains("may run")))
        let text = try describe(second)
        #expect(
            text.contains(
                "Queue 'default' runs 1 shard, and may run 1 at once. 'rewardctl queue set"
            )
        )
        #expect(!text.contains("could run it"))
    }

    @Test("describe shows progress, the first error of each code and the timeline")
    func details() throws {
        let id = try submit(["--option", "shard_size=3"], items: 6)
        let worker = try ScriptedWorker(database)
        try worker.work([
            ScriptedWorker.score(0, 3), ScriptedWorker.failure(1, "media_not_found", "b: none"),
            ScriptedWorker.failure(2, "media_not_found", "c: none"),
        ])
        let text = try describe(id)
        #expect(text.contains("3 of 6 items (50 %), 2 failed"))
        #expect(text.contains("media_not_found: 2 items, first item 1: b: none"))
        #expect(text.contains("enqueued"))
        #expect(text.contains("claimed"))
        let json = try RewardctlProcess.run(
            ["describe", "job", id, "-o", "json"],
            url: database.url
        )
        #expect(json.output.hasPrefix(#"{"apiVersion":"rewardctl/v1","job":{"job_id":\#(id),"#))
        #expect(json.output.contains(#""failures":[{"error_code":"media_not_found","items":2,"#))
        let missing = try RewardctlProcess.run(["describe", "job", "999999"], url: database.url)
        #expect(missing.status == 3)
        #expect(missing.messages == "Error: job 999999: not found.\n")
    }

    private func get(_ extra: [String]) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(["get"] + extra, url: database.url)
    }

    private func describe(_ id: String) throws -> String {
        let outcome = try RewardctlProcess.run(["describe", "job", id], url: database.url)
        #expect(outcome.status == 0, "\(outcome.messages)")
        return outcome.output
    }

    private func submit(
        _ extra: [String] = [],
        kind: String = "point_score",
        item: String = SubmitCommandTests.item,
        items: Int = 1
    ) throws -> String {
        let outcome = try RewardctlProcess.run(
            [
                "submit", kind, "--task", "image_generation", "--model", "scenes", "--items", "-",
            ] + extra,
            input: Array(repeating: item, count: items).joined(separator: "\n"),
            url: database.url
        )
        return try #require(outcome.lines.first, "\(outcome.messages)")
    }
}
