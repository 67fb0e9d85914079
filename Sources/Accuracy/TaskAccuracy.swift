package import RewardModeling

/// How well a model judges one task.
package struct TaskAccuracy: Sendable {
    /// Items that have no answer for one reason.
    package struct Failure: Sendable, Equatable {
        /// How many.
        package var count: Int
        /// The sentence of the first.
        package let message: String
    }

    /// The task.
    package let task: JudgingTask
    /// Comparisons.
    package internal(set) var pairs = PairAccuracy()
    /// Expected scores under `choices`.
    package internal(set) var points = PointAccuracy()
    /// Scores that were written, without those that could not be read.
    package internal(set) var generatedPoints = PointAccuracy()
    /// Preference pairs.
    package internal(set) var lists = ListAccuracy()
    /// Generated answers that could not be read, of those to comparisons and point scores.
    package internal(set) var unparsed = Proportion()
    /// Items that failed, by the code of the failure.
    package private(set) var failures: [String: Failure] = [:]
    /// Items that failed, of all.
    package private(set) var failed = Proportion()

    /// Nothing seen so far.
    init(task: JudgingTask) { self.task = task }

    /// Counts an item, and its failure if it is one.
    mutating func note(_ outcome: ItemOutcome) {
        guard case .failed(let code, let message) = outcome else {
            failed.note(false)
            return
        }
        failed.note(true)
        failures[code, default: Failure(count: 0, message: message)].count += 1
    }
}
