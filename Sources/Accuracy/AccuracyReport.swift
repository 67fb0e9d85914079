package import Hashing

/// What a run measured, with the goals: as text for people and as JSON.
package struct AccuracyReport: Sendable {
    /// The model's directory.
    package let directory: String
    /// SHA-256 of the model's files.
    package let modelDigest: Digest
    /// The name of the prompt pack.
    package let pack: String
    /// What was asked for.
    package let plan: AccuracyPlan
    /// One for each task of the plan.
    package let tasks: [TaskAccuracy]
    /// How long it took.
    package let seconds: Double

    /// Puts a report together.
    package init(
        directory: String,
        modelDigest: Digest,
        pack: String,
        plan: AccuracyPlan,
        tasks: [TaskAccuracy],
        seconds: Double
    ) {
        self.directory = directory
        self.modelDigest = modelDigest
        self.pack = pack
        self.plan = plan
        self.tasks = tasks
        self.seconds = seconds
    }

    /// Every goal of every task.
    package var checks: [GoalCheck] { tasks.flatMap(AccuracyGoals.checks) }

    /// The goals that are not met.
    package var missed: [GoalCheck] { checks.filter { !$0.isMet } }
}
