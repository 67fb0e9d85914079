package import RewardModeling

/// A figure that a model is held to. The raw values are keys of the JSON report.
package enum AccuracyMeasure: String, Sendable, CaseIterable {
    case pairAccuracy = "pair_accuracy"
    case orderAgreement = "order_agreement"
    case spearman
    case listAccuracy = "build_pairs_accuracy"
    case generateAgreement = "generate_agreement"
    case unparsed
    case failed

    /// The figure in words.
    package var name: String {
        switch self {
        case .pairAccuracy: "pair accuracy, both orders"
        case .orderAgreement: "both orders agree"
        case .spearman: "score rank correlation"
        case .listAccuracy: "build_pairs right"
        case .generateAgreement: "generate agrees with choices"
        case .unparsed: "generated answers unread"
        case .failed: "items failed"
        }
    }
}

/// What a figure has to be.
package enum GoalBound: Sendable, Equatable {
    case atLeast(Double)
    case below(Double)
    case atMost(Double)

    /// Whether a figure is within the bound.
    package func holds(_ value: Double) -> Bool {
        switch self {
        case .atLeast(let limit): value >= limit
        case .below(let limit): value < limit
        case .atMost(let limit): value <= limit
        }
    }
}

/// One goal with what was measured.
package struct GoalCheck: Sendable, Equatable {
    /// The task.
    package let task: JudgingTask
    /// The figure.
    package let measure: AccuracyMeasure
    /// What it has to be.
    package let bound: GoalBound
    /// What it is; nil when there was nothing to measure.
    package let measured: Double?

    /// A goal against a figure.
    package init(
        task: JudgingTask,
        measure: AccuracyMeasure,
        bound: GoalBound,
        measured: Double?
    ) {
        self.task = task
        self.measure = measure
        self.bound = bound
        self.measured = measured
    }

    /// Whether the goal is met. A figure that could not be measured, or that is not a number, meets
    /// none.
    package var isMet: Bool { measured.map(bound.holds) ?? false }
}

/// What a model of drawn scenes is held to.
package enum AccuracyGoals {
    /// The goals of a task: the one table of them.
    package static func bounds(
        for task: JudgingTask
    ) -> [(measure: AccuracyMeasure, bound: GoalBound)] {
        [
            (.pairAccuracy, .atLeast(task.medium == .image ? 0.92 : 0.88)),
            (.orderAgreement, .atLeast(0.95)),
            (.spearman, .atLeast(0.85)),
            (.listAccuracy, .atLeast(0.97)),
            (.generateAgreement, .atLeast(0.98)),
            (.unparsed, .below(0.005)),
            (.failed, .atMost(0)),
        ]
    }

    /// The goals of a task with what was measured.
    package static func checks(of accuracy: TaskAccuracy) -> [GoalCheck] {
        bounds(for: accuracy.task).map { measure, bound in
            GoalCheck(
                task: accuracy.task,
                measure: measure,
                bound: bound,
                measured: accuracy.figure(measure)
            )
        }
    }
}

extension TaskAccuracy {
    /// One figure; nil when there was nothing to measure.
    func figure(_ measure: AccuracyMeasure) -> Double? {
        measure == .spearman ? points.spearman : proportion(measure)?.share
    }

    /// What a figure is a share of; nil for a correlation.
    func proportion(_ measure: AccuracyMeasure) -> Proportion? {
        switch measure {
        case .pairAccuracy: pairs.right
        case .orderAgreement: pairs.ordersAgree
        case .spearman: nil
        case .listAccuracy: lists.right
        case .generateAgreement: pairs.generateAgrees
        case .unparsed: unparsed
        case .failed: failed
        }
    }
}
