import Glibc
import Postgres
import TestSupport
import Testing

@Suite("rewardctl results, pairs and watch")
struct ResultCommandTests {
    private let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    @Test("results come as lines, CSV and a table")
    func results() throws {
        let id = try submit(items: 3)
        try ScriptedWorker(database).work([
            ScriptedWorker.score(0, 3.75), ScriptedWorker.failure(1, "media_not_found", "b, none"),
            ScriptedWorker.score(2, 2),
        ])
        let lines = try run(["results", id])
        #expect(lines.status == 0)
        #expect(lines.lines.count == 3)
        #expect(
            lines.output.hasPrefix(
                #"{"item_index":0,"item_id":"i0","state":"completed","result":{"#
            )
        )
        let csv = try run(["results", id, "--format", "csv"])
        #expect(
            csv.lines == [
                "item_index,item_id,state,score,spread,verdict,confidence,order_sensitive,"
                    + "chosen_index,rejected_index,margin,reason,error_code,error",
                "0,i0,completed,3.75,0.5,,,,,,,,,",
                "1,i1,failed,,,,,,,,,,media_not_found,\"b, none\"",
                "2,i2,completed,2.0,0.5,,,,,,,,,",
            ]
        )
        let table = try run(["results", id, "--format", "table", "--no-headers"])
        #expect(
            table.lines == [
                "0  i0  completed  3.75 of 1–5, spread 0.5",
                "1  i1  failed     media_not_found: b, none",
                "2  i2  completed  2 of 1–5, spread 0.5",
            ]
        )
        let failed = try run(["results", id, "--failed-only"])
        #expect(failed.lines.count == 1)
        #expect(failed.output.contains(#""item_index":1"#))
        #expect(try run(["results", "999999"]).status == 3)
    }

    @Test("pairs come with their prompt, candidates and margin")
    func pairs() throws {
        let id = try submit(
            kind: "build_pairs",
            item: { #"{"id":"i\#($0)","caption":"c","candidates":["/a.png","/b.png"]}"# }
        )
        try ScriptedWorker(database).work([ScriptedWorker.pair(0, margin: 1.25)])
        let lines = try run(["pairs", id])
        #expect(
            lines.lines == [
                #"{"item_index":0,"item_id":"i0","input":{"caption":"c"},"chosen_index":1,"#
                    + #""rejected_index":0,"chosen":"/b.png","rejected":{"path":"/a.png"},"#
                    + #""chosen_score":4.5,"rejected_score":3.25,"margin":1.25,"evidence":{}}"#
            ]
        )
        let csv = try run(["pairs", id, "--format", "csv", "--no-headers"])
        #expect(csv.lines == ["0,i0,1,0,/b.png,/a.png,4.5,3.25,1.25"])
        let table = try run(["pairs", id, "--format", "table"])
        #expect(table.lines.count == 2)
    }

    @Test("many results are paged without a gap")
    func pages() throws {
        let count = 2500
        let id = try submit(["--option", "shard_size=1000"], items: count)
        let worker = try ScriptedWorker(database)
        for start in [0, 1000, 2000] {
            try worker.work(
                (start..<min(start + 1000, count)).map { ScriptedWorker.score($0, 3) }
            )
        }
        let lines = try run(["results", id, "--format", "csv", "--no-headers"]).lines
        #expect(lines.count == count)
        #expect(lines.enumerated().allSatisfy { $1.hasPrefix("\($0),i\($0),") })
    }

    @Test("watch prints one line a change and ends as the job did")
    func watch() throws {
        let id = try submit(["--option", "shard_size=1"], items: 2)
        let worker = try ScriptedWorker(database)
        let process = try RewardctlProcess.start(["watch", id], url: database.url)
        #expect(try process.waitForOutput(#""state":"ready""#))
        try worker.work([ScriptedWorker.score(0, 3)])
        #expect(try process.waitForOutput(#""items_done":1,"items_failed":0"#))
        try worker.work([ScriptedWorker.failure(1, "media_not_found", "gone")])
        let outcome = try process.wait()
        #expect(outcome.status == 1)
        #expect(
            outcome.lines.last
                == #"{"job_id":\#(id),"state":"completed","items_total":2,"items_done":1,"items_failed":1}"#
        )
        #expect(outcome.messages.contains("1 failed"))
    }

    @Test("watch of a job without failures ends with 0")
    func watchSuccess() throws {
        let id = try submit()
        try ScriptedWorker(database).work([ScriptedWorker.score(0, 3)])
        let outcome = try run(["watch", id])
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(outcome.lines.count == 1)
        #expect(try run(["watch", "999999"]).status == 3)
    }

    @Test("watch gives up at its timeout")
    func timeout() throws {
        let id = try submit()
        let outcome = try run(["watch", id, "--timeout", "10ms"])
        #expect(outcome.status == 7)
        #expect(
            outcome.messages
                == "Error: job \(id) is ready after 10ms: 0 of 1 item finished. It goes on.\n"
        )
    }

    @Test("Ctrl-C ends watching, not the job", arguments: [SIGINT, SIGTERM])
    func interruption(signal: Int32) throws {
        let id = try submit()
        let process = try RewardctlProcess.start(["watch", id], url: database.url)
        #expect(try process.waitForOutput("\n"))
        kill(process.processID, signal)
        let outcome = try process.wait()
        #expect(outcome.status == 130)
        #expect(outcome.messages.contains("job \(id) goes on"))
        let state = try run(["get", "jobs", id, "--no-headers"])
        #expect(state.output.contains("ready"))
    }

    @Test("a reader that leaves early ends the tool in silence")
    func brokenPipe() throws {
        let id = try submit(["--option", "shard_size=1000"], items: 1000)
        try ScriptedWorker(database).work((0..<1000).map { ScriptedWorker.score($0, 3) })
        let messages = try TemporaryFile("")
        let command =
            "'\(RewardctlProcess.binary)' results \(id) 2>\(messages.path) | head -n 1 >/dev/null"
        let status = system("DATABASE_URL='\(database.url)' sh -c \"\(command)\"")
        #expect(status == 0)
        #expect(try messages.text().isEmpty)
    }

    private func run(_ arguments: [String]) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(arguments, url: database.url)
    }

    private func submit(
        _ extra: [String] = [],
        kind: String = "point_score",
        items: Int = 1,
        item: (Int) -> String = { #"{"id":"i\#($0)","caption":"c","image":"/a.png"}"# }
    ) throws -> String {
        let outcome = try RewardctlProcess.run(
            [
                "submit", kind, "--task", "image_generation", "--model", "scenes", "--items", "-",
            ] + extra,
            input: (0..<items).map(item).joined(separator: "\n"),
            url: database.url
        )
        return try #require(outcome.lines.first, "\(outcome.messages)")
    }
}
