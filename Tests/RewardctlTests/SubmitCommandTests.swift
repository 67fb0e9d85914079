import Foundation
import Postgres
import TestSupport
import Testing

@Suite("rewardctl submit")
struct SubmitCommandTests {
    private let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    @Test("reads a file with a byte order mark, blank lines and either line end")
    func fromFile() throws {
        let file = try TemporaryFile(
            "\u{FEFF}{\"id\":\"a\",\"caption\":\"c\",\"image\":\"img/a.png\"}\r\n\n"
                + "  \n{\"caption\":\"d\",\"image\":{\"path\":\"../b.png\"}}",
            suffix: ".jsonl"
        )
        let outcome = try submit(["--items", file.path, "--priority", "-7", "--queue", "default"])
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(outcome.messages.contains("2 items, point_score by scenes, queue default."))
        let id = try #require(Int64(outcome.lines.first ?? ""))
        #expect(outcome.lines.count == 1)
        #expect(
            try payloads(of: id) == [
                #"{"id": "a", "image": "/tmp/img/a.png", "caption": "c"}"#,
                #"{"image": {"path": "/b.png"}, "caption": "d"}"#,
            ]
        )
        let job = try RewardctlProcess.run(
            ["get", "jobs", "\(id)", "-o", "jsonl"],
            url: database.url
        )
        #expect(job.output.contains(#""priority":-7"#))
    }

    @Test("a deadline counts from the time at which the job may start")
    func deadline() throws {
        let file = try TemporaryFile(#"{"caption":"c","image":"a.png"}"#, suffix: ".jsonl")
        let outcome = try submit(["--items", file.path, "--in", "1h", "--deadline", "2h"])
        #expect(outcome.status == 0, "\(outcome.messages)")
        let seconds = try database.connect().execute(
            "SELECT extract(epoch FROM deadline_at - run_at)::int AS n FROM rewardd.job"
        ).only().int("n")
        #expect(seconds == 7200)
        let id = try #require(outcome.lines.first)
        let text = try RewardctlProcess.run(["describe", "job", id], url: database.url).output
        #expect(text.contains("Deadline:"))
    }

    @Test("reads standard input, with paths from the working directory")
    func fromInput() throws {
        let outcome = try RewardctlProcess.run(
            [
                "submit", "pair_rank", "--task", "image_generation", "--model", "scenes",
                "--items", "-", "--option", "reuse=false", "--option", "margin_minimum=0.5",
                "--option", "orders=single",
            ],
            input: #"{"caption":"c","first":"a.png","second":"/x/b.png"}"#,
            url: database.url,
            directory: "/usr"
        )
        #expect(outcome.status == 0, "\(outcome.messages)")
        let id = try #require(Int64(outcome.lines.first ?? ""))
        #expect(
            try payloads(of: id) == [
                #"{"first": "/usr/a.png", "second": "/x/b.png", "caption": "c"}"#
            ]
        )
        let job = try RewardctlProcess.run(
            ["get", "jobs", "\(id)", "-o", "jsonl"],
            url: database.url
        )
        #expect(job.output.contains(#""reuse":false"#))
        #expect(job.output.contains(#""margin_minimum":0.5"#))
        #expect(job.output.contains(#""orders":"single""#))
    }

    @Test("texts of understanding tasks are not taken for paths")
    func texts() throws {
        let outcome = try submit(
            ["--items", "-"],
            kind: "pair_rank",
            task: "image_understanding",
            input: #"{"question":"q","image":"a.png","first":"yes","second":"no"}"#
        )
        let id = try #require(Int64(outcome.lines.first ?? ""), "\(outcome.messages)")
        #expect(
            try payloads(of: id) == [
                #"{"first": "yes", "image": "/tmp/a.png", "second": "no", "question": "q"}"#
            ]
        )
    }

    @Test(
        "a wrong line is named by its number",
        arguments: [
            ("[1]", "expected a JSON object, got an array."),
            ("7", "expected a JSON object, got a number."),
            (#"{"caption":"x" "image":"y"}"#, "16: expected ',' or '}', got '\"'."),
            (#"{"caption":"é","image":}"#, "24: expected a JSON value, got '}'."),
            (#"{"caption":"x""#, "15: expected ',' or '}', got the end."),
            (#"{"caption":"x\u0000"}"#, "14: expected no \\u0000, which PostgreSQL cannot store."),
            (#"{"caption":"x","image":7}"#, "image: expected a path"),
            (#"{"caption":"x"}"#, "image: expected a path"),
            (#"{"caption":"x","image":"a","colour":1}"#, "colour: expected one of the fields"),
            (
                #"{"caption":"x","image":"https://e.org/a.png"}"#,
                "image: expected the path of a file, got a 'https://' address."
            ),
        ]
    )
    func wrongLines(line: String, complaint: String) throws {
        let file = try TemporaryFile(
            "{\"caption\":\"x\",\"image\":\"y\"}\n\n\(line)\n",
            suffix: ".jsonl"
        )
        let outcome = try submit(["--items", file.path])
        #expect(outcome.status == 2)
        let separator = complaint.first?.isNumber == true ? ":" : ": "
        #expect(
            outcome.messages.hasPrefix("Error: \(file.path):3\(separator)\(complaint)"),
            "\(outcome.messages)"
        )
        #expect(outcome.output.isEmpty)
        #expect(try jobCount() == 0)
    }

    @Test("an element of an array keeps its place in the message")
    func arrayElement() throws {
        let outcome = try submit(
            ["--items", "-"],
            kind: "build_pairs",
            input: "\n{\"caption\":\"x\",\"candidates\":[\"a\",7]}\n"
        )
        #expect(outcome.status == 2)
        #expect(
            outcome.messages.hasPrefix("Error: standard input:2: candidates[1]: expected a path"),
            "\(outcome.messages)"
        )
    }

    @Test(
        "arguments that the database refuses are named by their options",
        arguments: [
            (["--option", "colour=red"], 2, "Error: --option colour: expected a known option"),
            (["--option", "orders=none"], 2, "Error: --option orders: expected \"both\""),
            (["--queue", "nope"], 3, "Error: --queue: expected an existing queue, got \"nope\"."),
        ]
    )
    func wrongArguments(extra: [String], status: Int32, sentence: String) throws {
        let outcome = try submit(["--items", "-"] + extra, input: Self.item)
        #expect(outcome.status == status)
        #expect(outcome.messages.hasPrefix(sentence), "\(outcome.messages)")
    }

    @Test("no items is an error")
    func empty() throws {
        let outcome = try submit(["--items", "-"], input: "\n \n")
        #expect(outcome.status == 2)
        #expect(outcome.messages.hasPrefix("Error: standard input: expected at least one item"))
    }

    @Test("the same key is the same job; another request with it is a conflict")
    func keys() throws {
        let first = try submit(["--items", "-", "--key", "night"], input: Self.item)
        let second = try submit(["--items", "-", "--key", "night"], input: Self.item)
        #expect(second.status == 0)
        #expect(first.output == second.output)
        #expect(first.messages.contains("Submitted job"))
        #expect(second.messages.contains("has this key already"))
        let other = try submit(
            ["--items", "-", "--key", "night", "--option", "reuse=false"],
            input: Self.item
        )
        #expect(other.status == 4)
        #expect(other.messages.hasPrefix("Error: --key: expected the request of job"))
        #expect(try jobCount() == 1)
    }

    @Test("a dry run checks against the database and leaves nothing")
    func dryRun() throws {
        let good = try submit(["--items", "-", "--dry-run"], input: Self.item)
        #expect(good.status == 0)
        #expect(good.output.isEmpty)
        #expect(good.messages.hasPrefix("Would submit 1 item"))
        let bad = try submit(["--items", "-", "--dry-run"], input: #"{"caption":1}"#)
        #expect(bad.status == 2)
        #expect(try jobCount() == 0)
    }

    @Test(
        "a later start makes a scheduled job",
        arguments: [["--in", "2h"], ["--at", "2999-01-01"]]
    )
    func later(when: [String]) throws {
        let outcome = try submit(["--items", "-"] + when, input: Self.item)
        let id = try #require(Int64(outcome.lines.first ?? ""), "\(outcome.messages)")
        let text = try RewardctlProcess.run(["describe", "job", "\(id)"], url: database.url).output
        #expect(text.contains("State:       scheduled"))
        #expect(text.contains("It is scheduled for "))
    }

    @Test("files are uploaded once and named by digest")
    func upload() throws {
        let image = try TemporaryFile("not really a picture", suffix: ".png")
        let line = "{\"caption\":\"c\",\"image\":\"\(image.name)\"}\n"
        let outcome = try submit(["--items", "-", "--upload-media"], input: line + line)
        let id = try #require(Int64(outcome.lines.first ?? ""), "\(outcome.messages)")
        // printf 'not really a picture' | sha256sum
        let digest = "fe1a4ab1fb6347036bead73597d5d2958b26ac0b96f68ca2f6dcee53a50f297e"
        let stored = try payloads(of: id)
        #expect(stored.count == 2)
        #expect(
            stored.allSatisfy { $0.contains("\"image\": {\"media\": \"\(digest)\"}") },
            "\(stored)"
        )
        let count = try database.connect().execute("SELECT count(*) AS n FROM rewardd.media")
        #expect(try count.only().int("n") == 1)
        let missing = try submit(
            ["--items", "-", "--upload-media"],
            input: #"{"caption":"c","image":"/none.png"}"#
        )
        #expect(missing.status == 2)
        #expect(missing.messages.hasPrefix("Error: standard input:1: cannot read '/none.png'"))
    }

    static let item = #"{"caption":"c","image":"/a.png"}"#

    private func submit(
        _ extra: [String],
        kind: String = "point_score",
        task: String = "image_generation",
        input: String = ""
    ) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(
            ["submit", kind, "--task", task, "--model", "scenes"] + extra,
            input: input,
            url: database.url
        )
    }

    private func payloads(of job: Int64) throws -> [String] {
        try database.connect().execute(
            "SELECT payload::text AS p FROM rewardd.item WHERE job_id = \(job) ORDER BY item_index"
        ).map { try $0.text("p") }
    }

    private func jobCount() throws -> Int {
        try database.connect().execute("SELECT count(*) AS n FROM rewardd.job").only().int("n")
    }
}
