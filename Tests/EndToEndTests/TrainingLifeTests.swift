import Foundation
import Glibc
import Hashing
import Postgres
import TestSupport
import Testing

/// Native training as a job, with real processes and a real signal 9.
@Suite("A training's life", .serialized)
struct TrainingLifeTests {
    @Test("killed in the middle, a training ends with the bits of an unbroken one")
    func killed() throws {
        let bench = try TrainingFolder()
        let unbroken = try bench.daemon()
        let first = try bench.train("unbroken", steps: 24)
        #expect(try bench.bench.end(of: first, daemon: unbroken) == "completed")
        unbroken.signal(SIGTERM)
        #expect(unbroken.wait() == 0)

        let broken = try bench.daemon()
        let second = try bench.train("broken", steps: 24)
        try bench.bench.wait("a checkpoint in the middle", daemon: broken) {
            try bench.furthestStep(of: second) >= 4
        }
        broken.signal(SIGKILL)
        #expect(broken.wait() == -SIGKILL)
        #expect(try bench.furthestStep(of: second) < 24, "the kill came before the end")
        let heir = try bench.daemon()
        #expect(try bench.bench.end(of: second, daemon: heir) == "completed")
        #expect(heir.log.contains("training resumed"))
        #expect(try bench.weights("broken") == bench.weights("unbroken"))

        // What was trained judges at once, under its new name.
        let judged = try bench.bench.enqueue(
            kind: "point_score",
            model: "broken",
            items: Workbench.pointItems(2)
        )
        #expect(try bench.bench.end(of: judged, daemon: heir) == "completed")
        let models = try bench.bench.number("SELECT count(*) AS n FROM rewardd.model_status")
        #expect(models == 2)
    }

    @Test("trained with adapters, only the adapted weights differ from the base")
    func adapters() throws {
        let bench = try TrainingFolder()
        let daemon = try bench.daemon()
        let job = try bench.train(
            "adapted",
            steps: 3,
            options: #", "method": "lora", "lora_rank": 2, "lora_alpha": 4, "learning_rate": 0.01"#
        )
        #expect(try bench.bench.end(of: job, daemon: daemon) == "completed")
        #expect(try bench.error(of: job) == nil)
        let base = try Data(
            contentsOf: URL(filePath: Repository.tinyCheckpoint + "/model.safetensors")
        )
        #expect(try bench.weights("adapted") != base)
    }

    @Test("a malformed line is refused with its number and field, and the daemon lives on")
    func malformed() throws {
        let bench = try TrainingFolder()
        try bench.append(
            #"{"task":"image_generation","caption":"x","image":"a.png","score":"five"}"#
        )
        let daemon = try bench.daemon()
        let job = try bench.train("never", steps: 2)
        _ = try bench.bench.end(of: job, daemon: daemon)
        let error = try #require(try bench.error(of: job))
        #expect(error.contains("dataset.jsonl line 5: score: expected a number"), "\(error)")
        daemon.signal(SIGTERM)
        #expect(daemon.wait() == 0)
    }

    @Test("a training that takes more memory than it may is refused with both numbers")
    func memory() throws {
        let bench = try TrainingFolder()
        let daemon = try bench.daemon(settings: "training.memory-limit = 2MiB")
        let job = try bench.train("never", steps: 2)
        _ = try bench.bench.end(of: job, daemon: daemon)
        let error = try #require(try bench.error(of: job))
        #expect(error.contains("expected at most 2 MiB of memory"), "\(error)")
    }
}

/// A dataset over the bundled pictures and a place for models.
private final class TrainingFolder {
    let bench: Workbench
    private let root: URL

    init() throws {
        bench = try Workbench()
        root = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-train-\(UUID().uuidString)")
        let models = root.appending(path: "models")
        try FileManager.default.createDirectory(at: models, withIntermediateDirectories: true)
        for (name, picture) in [("a.png", "left-right-1.png"), ("b.png", "triangles-3.png")] {
            try FileManager.default.copyItem(
                atPath: Repository.pictures + "/" + picture,
                toPath: root.appending(path: name).path
            )
        }
        try Data(Self.records.utf8).write(to: dataset)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    private static let records = """
        {"task":"image_generation","caption":"a red circle","image":"a.png","score":4}
        {"task":"image_generation","caption":"three triangles","first":"a.png","second":"b.png","verdict":"second"}
        {"task":"image_understanding","question":"What is it?","image":"b.png","chosen":"triangles","rejected":"a dog"}
        {"task":"image_understanding","media":["b.png"],"prompt":"Describe.","response":"Three triangles."}

        """

    private var dataset: URL { root.appending(path: "dataset.jsonl") }

    func append(_ line: String) throws {
        let file = try FileHandle(forWritingTo: dataset)
        try file.seekToEnd()
        try file.write(contentsOf: Data((line + "\n").utf8))
        try file.close()
    }

    func daemon(settings: String = "") throws -> DaemonProcess {
        try bench.daemon(
            settings: "training.directory = \(root.path)/models\ntraining.threads = 2\n" + settings,
            mediaRoot: "\(root.path):\(Repository.pictures)"
        )
    }

    /// Enqueues a training of `steps` steps as a submitter.
    func train(_ name: String, steps: Int, options: String = "") throws -> Int64 {
        let rows = try bench.submitter().execute(
            """
            SELECT rewardd.enqueue(kind => 'train', task => NULL, model => 'tiny',
                items => \("[{\"dataset\":\"\(dataset.path)\",\"name\":\"\(name)\"}]")::jsonb,
                options => \(Self.options(steps: steps) + options + "}")::jsonb) AS n
            """
        )
        return try rows[0].int64("n")
    }

    private static func options(steps: Int) -> String {
        """
        {"epochs": 1000, "max_steps": \(steps), "batch_size": 2, "learning_rate": 0.001,
         "checkpoint_every": 2, "validate_every": 8, "validation_fraction": 0, "precision": "f32"
        """
    }

    /// The furthest step that a report has told of.
    func furthestStep(of job: Int64) throws -> Int64 {
        try bench.number(
            "SELECT coalesce(max(furthest_step), 0) AS n FROM rewardd.shard WHERE job_id = \(job)"
        )
    }

    /// Why the job's item failed.
    func error(of job: Int64) throws -> String? {
        try bench.text("SELECT max(error) AS t FROM rewardd.item_result WHERE job_id = \(job)")
    }

    func weights(_ name: String) throws -> Data {
        try Data(contentsOf: root.appending(path: "models/\(name)/model.safetensors"))
    }
}
