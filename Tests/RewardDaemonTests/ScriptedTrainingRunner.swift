import Foundation
import RewardDaemon
import Synchronization
import Training

/// A runner that does what a test says, and remembers what it was given.
final class ScriptedTrainingRunner: TrainingJobRunner {
    typealias Report = @Sendable (TrainingProgress) async -> TrainingVerdict
    typealias Body =
        @Sendable (TrainingAssignment, Report) async throws -> TrainingResult

    private let body: Body
    private let state = Mutex<[TrainingAssignment]>([])

    init(_ body: @escaping Body) {
        self.body = body
    }

    /// The assignments so far.
    var assignments: [TrainingAssignment] { state.withLock { $0 } }

    func run(
        _ assignment: TrainingAssignment,
        report: @escaping Report
    ) async throws -> TrainingResult {
        state.withLock { $0.append(assignment) }
        return try await body(assignment, report)
    }

    /// A report of one step of a hundred.
    static func progress(_ step: Int, isCheckpoint: Bool = true) -> TrainingProgress {
        TrainingProgress(
            step: step,
            steps: 100,
            loss: 1 / Double(step),
            learningRate: 1e-4,
            examplesPerSecond: 10,
            secondsLeft: Double(100 - step),
            isCheckpoint: isCheckpoint
        )
    }

    /// Writes a model that an engine can use and says that the training is done.
    static func finish(
        _ assignment: TrainingAssignment,
        digest: UInt8 = 1
    ) throws -> TrainingResult {
        try FileManager.default.copyItem(
            atPath: TrainingBench.tinyCheckpoint,
            toPath: assignment.outputDirectory
        )
        return TrainingResult(
            digest: [UInt8](repeating: digest, count: 32),
            steps: 100,
            loss: 0.25,
            validation: ["image_generation/pair_rank": 0.75]
        )
    }

    /// Reports one step after the other until it is told to stop or cancelled; returns why.
    static func workUntilStopped(_ report: Report, from first: Int = 1) async -> StopReason? {
        var step = first
        while !Task.isCancelled {
            if case .stop(let reason) = await report(progress(step)) { return reason }
            step += 1
            try? await Task.sleep(for: .milliseconds(5))
        }
        return nil
    }
}

/// Holds a runner until the test lets it go on, or its task is cancelled.
final class Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(of: Void.self)
    }

    func open() { continuation.finish() }

    func wait() async {
        for await _ in stream {}
    }
}
