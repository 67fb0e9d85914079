import Jobs
import Logging
import Postgres
import TestSupport
import Testing

/// The queue's functions for training, with a worker's rights.
@Suite("Job queue for training")
struct TrainingQueueTests {
    private let connection: Connection
    private let database: TemporaryDatabase
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

    private func enqueue(_ name: String = "scenes-2") throws -> Int64 {
        let items = #"[{"dataset": "/d/train.jsonl", "name": "\#(name)"}]"#
        return try connection.execute(
            """
            SELECT rewardd.enqueue(kind => 'train', items => \(json: items), task => NULL,
                model => 'tiny', options => '{"epochs": 2}') AS id
            """
        ).only().int64("id")
    }

    private func register() async throws -> Int64 {
        try await queue.register(
            DaemonRegistration(
                host: "h",
                processID: 7,
                version: "1",
                models: ["tiny", "train/tiny"],
                queues: ["default"]
            )
        )
    }

    private func claim(_ daemon: Int64) async throws -> ClaimedShard? {
        try await queue.claim(
            daemonID: daemon,
            models: [ClaimedShard.trainingLabel(base: "tiny")],
            queues: ["default"],
            maximum: 1
        ).first
    }

    private func progress(_ step: Int) -> TrainingProgressRow {
        TrainingProgressRow(
            step: step,
            steps: 100,
            loss: .nan,
            learningRate: 1e-4,
            examplesPerSecond: 12.5,
            secondsLeft: 60,
            validation: ["image_generation/pair_rank": 0.75],
            isCheckpoint: true
        )
    }

    @Test("a train shard arrives with its base, its item and no task")
    func claimed() async throws {
        let job = try enqueue()
        let shard = try #require(try await claim(register()))
        #expect(shard.jobID == job && shard.kind == "train" && shard.model == "tiny")
        #expect(shard.task.isEmpty)
        #expect(shard.items.count == 1)
        #expect(String(decoding: shard.options, as: UTF8.self) == #"{"epochs": 2}"#)
    }

    @Test("progress is stored as reported, and the answers are ok, cancel and lost")
    func reports() async throws {
        let job = try enqueue()
        let shard = try #require(try await claim(register()))
        #expect(try await queue.reportProgress(shard.lease, progress(1)) == .ok)
        let data = try connection.execute(
            """
            SELECT data::text AS data FROM rewardd.job_event
            WHERE job_id = \(job) AND type = 'training_progress'
            """
        ).only().text("data")
        #expect(
            data == """
                {"loss": null, "step": 1, "phase": "training", "steps": 100, "checkpoint": true, "validation": \
                {"image_generation/pair_rank": 0.75}, "seconds_left": 60.0, "learning_rate": \
                0.0001, "examples_per_second": 12.5}
                """
        )
        try connection.execute("SELECT rewardd.cancel(job_id => \(job))")
        #expect(try await queue.reportProgress(shard.lease, progress(2)) == .cancel)
        #expect(try await queue.finish(shard.lease, .release(reason: nil)) == .cancel)
        #expect(try await queue.reportProgress(shard.lease, progress(3)) == .lost)
        #expect(try await queue.settledJobs(among: [job, job + 1]) == [job])
        #expect(try await queue.settledJobs(among: []).isEmpty)
    }

    @Test("a model is registered under the lease, announced, and its result stored")
    func models() async throws {
        let job = try enqueue()
        let daemon = try await register()
        let shard = try #require(try await claim(daemon))
        let model = TrainedModelRow(
            name: "scenes-2",
            digest: Array(0..<32),
            directory: "/models/scenes-2",
            steps: 100,
            loss: 0.25,
            validation: ["image_generation/pair_rank": 0.75]
        )
        let base = [UInt8](repeating: 9, count: 32)
        #expect(
            try await queue.registerModel(shard.lease, model, host: "h", baseDigest: base)
        )
        #expect(try await queue.setModels(daemonID: daemon, models: ["tiny", "scenes-2"]))
        #expect(try await queue.setModels(daemonID: 4711, models: []) == false)
        let result = ItemResultRow(itemIndex: 0, outcome: .completed(json: model.json))
        #expect(
            try await queue.checkpoint(shard.lease, judgements: [], results: [result]) == .ok
        )
        #expect(try await queue.finish(shard.lease, .done) == .ok)
        let row = try connection.execute(
            """
            SELECT m.base, m.daemons, r.result ->> 'digest' = m.digest AS same,
                r.result ->> 'steps' AS steps
            FROM rewardd.model_status m JOIN rewardd.result r ON r.job_id = m.job_id
            WHERE m.job_id = \(job)
            """
        ).only()
        #expect(try row.text("base") == "tiny" && row.int("daemons") == 1)
        #expect(try row.bool("same") && row.text("steps") == "100")
        #expect(
            try await !queue.registerModel(shard.lease, model, host: "h", baseDigest: nil)
        )
        #expect(try await queue.settledJobs(among: [job]) == [job])
    }
}
