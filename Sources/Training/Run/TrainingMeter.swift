/// Means and speeds between two reports.
struct TrainingMeter {
    /// Time between two reports without an occasion.
    static let period = Duration.seconds(2)

    private let plan: StepPlan
    private let firstStep: Int
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now
    private var losses = 0.0
    private var steps = 0
    private var examples = 0

    /// Mean loss of the last report.
    private(set) var recentLoss = 0.0

    init(plan: StepPlan, firstStep: Int) {
        self.plan = plan
        self.firstStep = firstStep
    }

    /// Whether the period is over.
    var isDue: Bool { ContinuousClock.now - last >= Self.period }

    mutating func add(_ outcome: TrainingLoop.Outcome) {
        losses += outcome.loss
        steps += 1
        examples += outcome.examples
    }

    /// What to say now; starts the next period.
    mutating func report(step: Int, learningRate: Float) -> TrainingProgress {
        let now = ContinuousClock.now
        if steps > 0 { recentLoss = losses / Double(steps) }
        var progress = TrainingProgress(phase: .training, step: step, steps: plan.steps)
        progress.loss = recentLoss
        progress.learningRate = Double(learningRate)
        progress.examplesPerSecond = Double(examples) / max((now - last) / .seconds(1), 1e-6)
        let perStep = ((now - start) / .seconds(1)) / Double(max(step - firstStep, 1))
        progress.secondsLeft = perStep * Double(plan.steps - step)
        last = now
        losses = 0
        steps = 0
        examples = 0
        return progress
    }
}

/// Right answers among all, by group.
struct ValidationTally {
    private var right: [String: Int] = [:]
    private var all: [String: Int] = [:]

    mutating func add(_ isRight: Bool, group: String) {
        all[group, default: 0] += 1
        right[group, default: 0] += isRight ? 1 : 0
    }

    /// Part of the answers that are right, by group.
    var shares: [String: Double] {
        var shares: [String: Double] = [:]
        for (group, count) in all { shares[group] = Double(right[group] ?? 0) / Double(count) }
        return shares
    }
}
