package import Training

/// Trains one model to the end: the training module behind the daemon, or a script in tests.
package protocol TrainingJobRunner: Sendable {
    /// Trains, or goes on where the state in the work directory ends, and writes the finished model
    /// to the assignment's output directory.
    ///
    /// Reports often (at least once for each optimizer step or every few seconds) and stops within
    /// one step when the answer is `.stop` or the task is cancelled: after `.stop(.drain)` its state
    /// should be saved first. What it throws then does not matter. Otherwise an error that conforms
    /// to `CodedError` fails the job by name, every other one is tried again.
    ///
    /// - Parameter report: Never waits for the database; the answer may be a report late.
    func run(
        _ assignment: TrainingAssignment,
        report: @escaping @Sendable (TrainingProgress) async -> TrainingVerdict
    ) async throws -> TrainingResult
}

/// The answer to a report.
package enum TrainingVerdict: Sendable, Equatable {
    case proceed
    /// Stop within one step; the shard is given back or dropped by the daemon.
    case stop(StopReason)
}
