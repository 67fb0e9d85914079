import Postgres
import TestSupport
import Testing

@Suite("rewardctl schedule and get schedules")
struct ScheduleCommandTests {
    private let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    @Test("a schedule is added once, shown, and changed with --replace only")
    func add() throws {
        let first = try add(["--tz", "europe/berlin", "--option", "reuse=false"])
        #expect(first.status == 0, "\(first.messages)")
        #expect(first.lines == ["schedule nightly: created"])
        #expect(first.messages.hasPrefix("It comes next at 2"))
        let again = try add(["--tz", "Europe/Berlin", "--option", "reuse=false"])
        #expect(again.lines == ["schedule nightly: unchanged"])
        let other = try add(["--tz", "UTC"])
        #expect(other.status == 4)
        #expect(
            other.messages
                == "Error: schedule \"nightly\": expected its present definition again, got another "
                + "one. Give '--replace' to change it, or choose another name.\n"
        )
        #expect(
            try add(["--replace", "--overlap", "queue"]).lines == ["schedule nightly: replaced"]
        )
        let table = try run(["get", "schedules"])
        #expect(table.lines.count == 2)
        #expect(table.lines.first?.hasPrefix("NAME     STATE   CRON") == true, "\(table.output)")
        #expect(table.output.contains("nightly  active  0 2 * * *  UTC"), "\(table.output)")
        let json = try run(["get", "schedules", "nightly", "-o", "json"])
        #expect(
            json.output.hasPrefix(
                #"{"apiVersion":"rewardctl/v1","items":[{"name":"nightly","cron":"0 2 * * *","#
                    + #""time_zone":"UTC","misfire":"coalesce","overlap":"queue","next_slot":"2"#
            ),
            "\(json.output)"
        )
        #expect(!json.output.contains("_last_age"))
        let missing = try run(["get", "schedules", "nope"])
        #expect(missing.status == 3)
        #expect(missing.messages.hasSuffix("Error: schedule nope: not found.\n"))
    }

    @Test("paths of items are made absolute as by submit, and files can be uploaded")
    func items() throws {
        let image = try TemporaryFile("picture", suffix: ".png")
        let file = try TemporaryFile(#"{"caption":"c","image":"\#(image.name)"}"#, suffix: ".jsonl")
        let options = ["--cron", "@daily", "--task", "image_generation", "--model", "m"]
        for (name, upload) in [("plain", []), ("stored", ["--upload-media"])] {
            let outcome = try run(
                ["schedule", "add", name, "point_score", "--items", file.path] + options + upload
            )
            #expect(outcome.status == 0, "\(outcome.messages)")
        }
        let images = try database.connect().execute(
            "SELECT items -> 0 ->> 'image' AS image FROM rewardd.schedule ORDER BY name"
        ).map { try $0.text("image") }
        #expect(images[0] == image.path)
        #expect(images[1].hasPrefix(#"{"media": ""#))
    }

    @Test("a dry run shows the next times and adds nothing")
    func dryRun() throws {
        let outcome = try add(["--dry-run"])
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(outcome.lines.count == 3)
        #expect(outcome.lines.allSatisfy { $0.hasSuffix("02:00:00 UTC") })
        #expect(outcome.messages.contains("would be created"))
        #expect(try run(["get", "schedules", "-o", "name"]).lines == [])
    }

    @Test(
        "what is wrong is told by the option it came from",
        arguments: [
            (["--cron", "61 * * * *"], "Error: --cron: expected minutes 0-59, got \"61\"."),
            (["--cron", "0 0 31 2 *"], "Error: --cron: expected a time within 8 years, got none"),
            (["--tz", "Mars"], "Error: --tz: expected the name of a time zone, got \"Mars\"."),
            (["--option", "colour=1"], "Error: --option colour: expected a known option"),
            (
                ["--misfire", "later"],
                "Error: The value 'later' is invalid for '--misfire <policy>'"
            ),
            (
                ["--overlap", "later"],
                "Error: The value 'later' is invalid for '--overlap <policy>'"
            ),
        ]
    )
    func wrongValues(extra: [String], complaint: String) throws {
        let outcome = try add(extra, cron: extra.first == "--cron" ? [] : ["--cron", "0 2 * * *"])
        #expect(outcome.status == 2)
        #expect(outcome.messages.hasPrefix(complaint), "\(outcome.messages)")
        #expect(try run(["get", "schedules", "-o", "name"]).lines == [])
    }

    @Test("an unknown queue and a wrong item are told as by submit; train is not a kind of it")
    func otherRefusals() throws {
        #expect(try add(["--queue", "nope"]).status == 3)
        let item = try add([], item: #"{"caption":"c"}"#)
        #expect(item.status == 2)
        #expect(item.messages.hasPrefix("Error: standard input:1: image: "), "\(item.messages)")
        let train = try run([
            "schedule", "add", "x", "train", "--cron", "@daily", "--task", "image_generation",
            "--model", "m", "--items", "-",
        ])
        #expect(train.status == 2)
        #expect(train.messages.contains("'train' is invalid for '<kind>'"), "\(train.messages)")
        let cron = try run([
            "schedule", "add", "x", "point_score", "--task", "image_generation", "--model", "m",
            "--items", "-",
        ])
        #expect(cron.status == 2)
        #expect(cron.messages.contains("--cron"), "\(cron.messages)")
    }

    @Test("schedules are paused, resumed, run and removed, and a refusal does not stop the rest")
    func changes() throws {
        #expect(try add([]).status == 0)
        let paused = try run(["schedule", "pause", "nope", "nightly"])
        #expect(paused.status == 3)
        #expect(paused.lines == ["schedule nightly: paused"])
        #expect(paused.messages.contains("'rewardctl get schedules'"))
        #expect(try run(["get", "schedules"]).output.contains("nightly  paused"))
        #expect(try add(["--replace", "--model", "n"]).messages == "It is paused.\n")
        let ran = try run(["schedule", "run", "nightly"])
        #expect(ran.status == 0)
        let job = try #require(ran.lines.first?.split(separator: " ").last.map(String.init))
        #expect(ran.lines == ["schedule nightly: submitted job \(job)"])
        let list = try run(["get", "schedules", "-o", "jsonl"]).output
        #expect(list.contains(#""last_outcome":"enqueued","last_reason":null,"last_job":\#(job),"#))
        #expect(try run(["describe", "job", job]).output.contains("slot_enqueued"))
        #expect(try run(["schedule", "resume", "nightly"]).lines == ["schedule nightly: resumed"])
        #expect(try run(["get", "schedules"]).output.contains("nightly  active"))
        #expect(try run(["schedule", "remove", "nightly"]).lines == ["schedule nightly: removed"])
        #expect(try run(["schedule", "remove", "nightly"]).status == 3)
        #expect(try run(["get", "jobs", "-o", "name"]).lines == [job])
    }

    @Test("a submitter reaches its own schedules and nothing else")
    func permissions() throws {
        #expect(try add([]).status == 0)
        let url = try database.makeLogin(memberOf: ["rewardd_submit"])
        for command in ["pause", "resume", "run", "remove"] {
            let outcome = try RewardctlProcess.run(["schedule", command, "nightly"], url: url)
            #expect(outcome.status == 3, "\(command)")
        }
        #expect(try RewardctlProcess.run(["get", "schedules", "-o", "name"], url: url).lines == [])
        let reader = try database.makeLogin(memberOf: ["rewardd_read"])
        #expect(
            try RewardctlProcess.run(["get", "schedules", "-o", "name"], url: reader).lines
                == ["nightly"]
        )
        #expect(try RewardctlProcess.run(["schedule", "run", "nightly"], url: reader).status == 6)
    }

    private func run(_ arguments: [String]) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(arguments, url: database.url)
    }

    /// Adds the schedule `nightly`; an option among the extra ones replaces the usual one.
    private func add(
        _ extra: [String],
        cron: [String] = ["--cron", "0 2 * * *"],
        item: String = SubmitCommandTests.item
    ) throws -> RewardctlProcess.Outcome {
        let model = extra.contains("--model") ? [] : ["--model", "m"]
        return try RewardctlProcess.run(
            [
                "schedule", "add", "nightly", "point_score", "--task", "image_generation",
                "--items", "-",
            ] + cron + model + extra,
            input: item,
            url: database.url
        )
    }
}
