import Postgres
import TestSupport
import Testing

@Suite("rewardctl with train jobs")
struct TrainCommandTests {
    private let database: TemporaryDatabase
    private let connection: Connection

    init() throws {
        database = try TemporaryDatabase.migrated()
        connection = try database.connect()
    }

    @Test("submit train makes the dataset's path absolute and ranks below judging")
    func submit() throws {
        let outcome = try train(
            ["--option", "epochs=2", "--option", "tasks=image_generation,video_generation"],
            dataset: "sets/../train.jsonl",
            directory: "/srv"
        )
        #expect(outcome.status == 0, "\(outcome.messages)")
        #expect(outcome.messages.contains("train scenes-2 from scenes, queue default."))
        let id = try #require(Int64(outcome.lines.first ?? ""))
        let row = try connection.execute(
            """
            SELECT j.kind, j.task, j.priority, j.options::text AS options, i.payload::text AS item
            FROM rewardd.job_status j JOIN rewardd.job_item i ON i.job_id = j.job_id
            WHERE j.job_id = \(id)
            """
        ).only()
        #expect(try row.text("item") == #"{"name": "scenes-2", "dataset": "/srv/train.jsonl"}"#)
        #expect(
            try row.text("options")
                == #"{"tasks": ["image_generation", "video_generation"], "epochs": 2}"#
        )
        #expect(try row.int("priority") == -100 && row.textIfPresent("task") == nil)
        #expect(try train(["--priority", "0"]).status == 0)
        #expect(
            try connection.execute("SELECT max(priority) AS p FROM rewardd.job").only().int("p")
                == 0
        )
    }

    @Test(
        "what the database refuses is named by its option",
        arguments: [
            (["--option", "epochs=0"], "Error: --option epochs: expected a number above 0"),
            (["--option", "orders=both"], "Error: --option orders: expected an option of a train"),
            (["--queue", "nope"], "Error: --queue: expected an existing queue"),
        ]
    )
    func refused(extra: [String], sentence: String) throws {
        let outcome = try train(extra)
        #expect(outcome.status == 2 || outcome.status == 3)
        #expect(outcome.messages.hasPrefix(sentence), "\(outcome.messages)")
    }

    @Test("a bad name, a bad base and an address are named by their options")
    func names() throws {
        for (name, base, dataset, sentence) in [
            ("Scenes", "m", "/a", "Error: --name: expected a name of 1 to 64 characters"),
            ("s", " m", "/a", "Error: --base: expected a name of 1 to 200 characters"),
            ("s", "m", "https://e.org/a", "Error: --dataset: expected the path of a file"),
        ] {
            let outcome = try RewardctlProcess.run(
                ["submit", "train", "--dataset", dataset, "--base", base, "--name", name],
                url: database.url
            )
            #expect(outcome.status == 2)
            #expect(outcome.messages.hasPrefix(sentence), "\(outcome.messages)")
        }
    }

    @Test("--dry-run submits nothing; a key is the same job again")
    func dryRunAndKey() throws {
        let rehearsal = try train(["--dry-run"])
        #expect(rehearsal.status == 0 && rehearsal.output.isEmpty)
        #expect(rehearsal.messages.hasPrefix("Would submit train scenes-2 from scenes"))
        let first = try train(["--key", "k"])
        #expect(try train(["--key", "k"]).output == first.output)
        #expect(
            try connection.execute("SELECT count(*) AS n FROM rewardd.job").only().int("n") == 1
        )
    }

    @Test("lists, describe and results show a train job, its progress and its model")
    func progress() throws {
        let id = try #require(try train([]).lines.first)
        #expect(try describe(id).contains("No daemon is running."))
        let judge = try ScriptedWorker(database)
        #expect(
            try describe(id).contains(
                "No running daemon trains from model 'scenes' (bases: none). Set training.directory"
            )
        )
        let trainer = try ScriptedTrainer(database, daemon: judge.daemonID)
        #expect(try describe(id).contains("Daemon \(judge.daemonID) could run it"))
        try trainer.claim()
        try trainer.report(#"{"step":50,"steps":1000,"loss":0.9,"validation":{"a/b":0.5}}"#)
        try trainer.report(
            #"""
            {"step":250,"steps":1000,"loss":0.41234,"learning_rate":0.0001,"seconds_left":90,
             "examples_per_second":84.2}
            """#
        )
        let text = try describe(id)
        #expect(text.contains("Kind:        train\n"))
        #expect(text.contains("Base:        scenes\n"))
        #expect(
            text.contains(
                "Training:    step 250 of 1,000 (25 %), loss 0.412, learning rate 0.0001, "
                    + "84.2/s examples, ETA 1m 30s\n"
            ),
            "\(text)"
        )
        #expect(text.contains("Validation:  a/b 0.5\n"))
        #expect(!text.contains("training_progress"))
        let json = try run(["describe", "job", id, "-o", "json"]).output
        #expect(json.contains(#""training":{"at":""#))
        #expect(json.contains(#""step":250"#) && json.contains(#""validation":{"a/b":0.5}"#))
        #expect(try run(["get", "jobs", "--kind", "train", "-o", "name"]).lines == [id])
        #expect(try run(["get", "jobs", id, "-o", "jsonl"]).output.contains(#""task":null"#))
        try trainer.finish()
        let results = try run(["results", id, "--format", "table", "--no-headers"])
        #expect(results.output.contains("model scenes-2, 1000 steps, loss 0.25"))
        let models = try run(["get", "models", "--no-headers"])
        #expect(models.lines.count == 1)
        #expect(models.output.hasPrefix("scenes-2  offered  scenes"), "\(models.output)")
        #expect(try run(["get", "models", "-o", "name"]).lines == ["scenes-2"])
        #expect(try run(["get", "models", "none"]).status == 3)
    }

    @Test("watch prints a line for every report and ends when the model is made")
    func watch() throws {
        let id = try #require(try train([]).lines.first)
        let trainer = try ScriptedTrainer(database, daemon: ScriptedWorker(database).daemonID)
        let process = try RewardctlProcess.start(["watch", id], url: database.url)
        #expect(try process.waitForOutput(#""state":"ready""#))
        try trainer.claim()
        for step in 1...3 { try trainer.report(#"{"step":\#(step),"steps":3,"loss":0.5}"#) }
        #expect(try process.waitForOutput(#""step":3"#))
        try trainer.finish()
        let outcome = try process.wait()
        #expect(outcome.status == 0)
        let reports = outcome.lines.filter { $0.contains(#""event":"training_progress""#) }
        #expect(reports.count == 3, "\(outcome.output)")
        #expect(
            reports.last?.hasPrefix(#"{"job_id":\#(id),"event":"training_progress","at":""#) == true
        )
        #expect(outcome.messages.contains("Job \(id) completed: the model is made"))
    }

    @Test("clips are submitted with absolute frames")
    func clips() throws {
        let outcome = try RewardctlProcess.run(
            [
                "submit", "point_score", "--task", "video_generation", "--model", "m", "--items",
                "-",
            ],
            input: #"{"caption":"c","video":{"frames":["a.png",{"path":"b.png"}]}}"#,
            url: database.url,
            directory: "/usr"
        )
        #expect(outcome.status == 0, "\(outcome.messages)")
        let item = try connection.execute("SELECT payload::text AS p FROM rewardd.item").only()
        #expect(
            try item.text("p")
                == #"{"video": {"frames": ["/usr/a.png", {"path": "/usr/b.png"}]}, "caption": "c"}"#
        )
        let bad = try RewardctlProcess.run(
            [
                "submit", "point_score", "--task", "video_generation", "--model", "m", "--items",
                "-",
            ],
            input: #"{"caption":"c","video":{"frames":["a.png"]}}"#,
            url: database.url
        )
        #expect(
            bad.messages.hasPrefix("Error: standard input:1: video.frames: expected an array of 2"),
            "\(bad.messages)"
        )
    }

    // MARK: - Helpers

    private func train(
        _ extra: [String],
        dataset: String = "/srv/train.jsonl",
        directory: String = "/tmp"
    ) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(
            [
                "submit", "train", "--dataset", dataset, "--base", "scenes", "--name", "scenes-2",
            ] + extra,
            url: database.url,
            directory: directory
        )
    }

    private func describe(_ id: String) throws -> String {
        try run(["describe", "job", id]).output
    }

    private func run(_ arguments: [String]) throws -> RewardctlProcess.Outcome {
        try RewardctlProcess.run(arguments, url: database.url)
    }
}

/// A daemon that trains, by hand: the worker functions for the base `scenes`.
private final class ScriptedTrainer {
    private let connection: Connection
    private let daemonID: Int64
    private var shard: Int64 = 0
    private var token: Int64 = 0

    /// Makes a registered daemon one that trains.
    init(_ database: TemporaryDatabase, daemon: Int64) throws {
        connection = try database.connect()
        daemonID = daemon
        try connection.execute(
            """
            SELECT rewardd.set_daemon_models(\(daemon), \(["scenes", "train/scenes", "scenes-2"]))
            """
        )
    }

    func claim() throws {
        let row = try connection.execute(
            """
            SELECT shard_id, lease_token FROM rewardd.claim_shards(
                \(daemonID), \(["train/scenes"]), \(["default"]), 1)
            """
        ).only()
        shard = try row.int64("shard_id")
        token = try row.int64("lease_token")
    }

    func report(_ data: String) throws {
        try connection.execute(
            "SELECT rewardd.report_progress(\(shard), \(token), \(json: data)::jsonb)"
        )
    }

    /// Registers the model, stores the result and ends the shard.
    func finish() throws {
        let digest = [UInt8](repeating: 1, count: 32)
        let results = """
            [{"item_index":0,"state":"completed","result":{"model":"scenes-2","steps":1000,
              "loss":0.25,"digest":"01","directory":"/m/scenes-2","validation":{}}}]
            """
        try connection.execute(
            """
            SELECT rewardd.register_model(\(shard), \(token), \(digest), '/m/scenes-2', 'testhost')
            """
        )
        try connection.execute(
            "SELECT rewardd.checkpoint(\(shard), \(token), '[]'::jsonb, \(json: results)::jsonb)"
        )
        try connection.execute("SELECT rewardd.finish_shard(\(shard), \(token), 'done')")
    }
}
