import Foundation
import Logging
import Postgres
import TestSupport
import Testing

@testable import RewardDaemon

/// A daemon in this process, with a database, a training directory and a dataset of its own.
final class TrainingBench {
    static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let tinyCheckpoint = repository.appending(path: "Tests/Goldens/llava_ov/hf-bf16").path
    static let images = repository.appending(path: "Tests/Pictures").path

    let database: TemporaryDatabase
    let connection: Connection
    let log = LogCapture()
    /// The training directory.
    let models: String
    /// A dataset under a media root.
    let dataset: String
    private let root: URL
    private let workerURL: String
    private var daemons: [RunningDaemon] = []

    init() throws {
        database = try TemporaryDatabase.migrated()
        connection = try database.connect()
        workerURL = try database.makeLogin(memberOf: ["rewardd_work"])
        root = FileManager.default.temporaryDirectory
            .appending(path: "rewardd-training-\(UUID().uuidString)")
        models = root.appending(path: "models").path
        let media = root.appending(path: "media")
        for directory in [URL(filePath: models), media] {
            try FileManager.default.createDirectory(
                at: directory,
                withIntermediateDirectories: true
            )
        }
        dataset = media.appending(path: "train.jsonl").path
        try "{}\n".write(toFile: dataset, atomically: true, encoding: .utf8)
    }

    deinit {
        try? FileManager.default.removeItem(at: root)
    }

    /// Starts a daemon that trains with the runner.
    @discardableResult
    func start(
        _ runner: (any TrainingJobRunner)?,
        settings: String = "",
        onEvent: @escaping @Sendable (RunningDaemon.Event) -> Void = { _ in }
    ) async throws -> RunningDaemon {
        let text = """
            model.tiny = \(Self.tinyCheckpoint)
            media.roots = \(root.appending(path: "media").path):\(Self.images)
            threads = 1
            slots = 1
            poll.interval = 50ms
            training.directory = \(models)
            \(settings)
            """
        let configuration = try DaemonConfiguration(
            layers: [.parse(text, name: "rewardd.conf")],
            environment: ["DATABASE_URL": workerURL],
            processorCount: 1,
            memoryBytes: 4 << 30
        )
        let daemon = try await RunningDaemon.start(
            configuration: configuration,
            understoodSchema: 1...1000,
            trainer: runner,
            logger: log.logger,
            handler: onEvent
        )
        daemons.append(daemon)
        return daemon
    }

    /// Stops every daemon that was started.
    func stop() async {
        for daemon in daemons {
            await daemon.worker.abandon()
            await daemon.worker.drain()
            await daemon.stop()
        }
        daemons = []
    }

    /// Enqueues a train job.
    func train(
        name: String = "scenes-2",
        dataset: String? = nil,
        options: String = "{}"
    ) throws -> Int64 {
        let items = #"[{"dataset": "\#(dataset ?? self.dataset)", "name": "\#(name)"}]"#
        return try connection.execute(
            """
            SELECT rewardd.enqueue('train', \(items)::jsonb, NULL, 'tiny', \(options)::jsonb) AS id
            """
        ).only().int64("id")
    }

    /// Enqueues a judging job of one picture.
    func judge(model: String = "tiny") throws -> Int64 {
        let items = #"[{"caption": "a red circle", "image": "\#(Self.images)/left-right-1.png"}]"#
        return try connection.execute(
            """
            SELECT rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', \(model))
                AS id
            """
        ).only().int64("id")
    }

    /// Waits until the job has ended; returns its state.
    func end(of job: Int64) async throws -> String {
        try await wait("the end of job \(job)") {
            try !["scheduled", "ready", "running"].contains(state(job))
        }
        return try state(job)
    }

    func state(_ job: Int64) throws -> String {
        try connection.execute(
            "SELECT state::text AS state FROM rewardd.job_status WHERE job_id = \(job)"
        ).only().text("state")
    }

    /// The code and the sentence a failed job's item has.
    func failure(_ job: Int64) throws -> (code: String, sentence: String) {
        let row = try connection.execute(
            "SELECT error_code, error FROM rewardd.result WHERE job_id = \(job)"
        ).only()
        return (try row.text("error_code"), try row.text("error"))
    }

    func number(_ query: Query) throws -> Int {
        try connection.execute(query).only().int("n")
    }

    /// Number of a job's events of one type.
    func events(_ job: Int64, _ type: String) throws -> Int {
        try number(
            """
            SELECT count(*) AS n FROM rewardd.job_event
            WHERE job_id = \(job) AND type = \(type)
            """
        )
    }

    /// Whether the job has files in the training directory.
    func hasWork(_ job: Int64) -> Bool {
        FileManager.default.fileExists(atPath: "\(models)/.work/job-\(job)")
    }

    /// Looks at a condition again and again until it holds: what a daemon does shows in the database
    /// and on disk, where nothing can be awaited.
    func wait(_ what: Comment, until condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("\(what) did not happen in 30 s: \(log.messages.suffix(20))")
                throw Timeout()
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    struct Timeout: Error {}
}
