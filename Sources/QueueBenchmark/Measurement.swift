/// One figure of the report: its values, one for each repeat, beside what plain PostgreSQL reached in the
/// same run, and the goal it is held to.
package struct Measurement: Sendable, Equatable {
    /// What values count.
    package enum Unit: String, Sendable {
        /// More is better.
        case perSecond = "/s"
        /// Less is better.
        case milliseconds = "ms"
        /// Less is better.
        case seconds = "s"

        /// Whether more is better.
        var isRate: Bool { self == .perSecond }
    }

    /// What a plain statement reached, in the same unit.
    package struct RawLimit: Sendable, Equatable {
        /// The statement, in words.
        package let title: String
        /// One value for each repeat.
        package let values: [Double]

        /// A limit with its values, at least one.
        package init(_ title: String, _ values: [Double]) {
            self.title = title
            self.values = values
        }
    }

    /// What became of the goal.
    package enum Verdict: String, Sendable {
        case met
        case missed
        /// Missed, but not by the queue's doing alone: the plain statement does not reach it either.
        case outOfReach = "out of reach"
    }

    /// Its stable name, such as `enqueue.one.4`.
    package let name: String
    /// What it is, in words.
    package let title: String
    package let unit: Unit
    /// One value for each repeat, at least one.
    package let values: [Double]
    package let raw: RawLimit?
    /// The least rate, or the latency to stay below; nil for a figure without a goal.
    package let goal: Double?

    /// A figure with its values, at least one.
    package init(
        _ name: String,
        _ title: String,
        _ unit: Unit,
        _ values: [Double],
        raw: RawLimit? = nil,
        goal: Double? = nil
    ) {
        precondition(!values.isEmpty, "\(name): a measurement without values")
        self.name = name
        self.title = title
        self.unit = unit
        self.values = values
        self.raw = raw
        self.goal = goal
    }

    /// The middle one of the values.
    package var median: Double { Quantiles(values).median }

    /// The middle one of the raw limit's values.
    package var rawMedian: Double? { raw.map { Quantiles($0.values).median } }

    /// The median as a multiple of the raw limit's.
    package var ratio: Double? {
        rawMedian.flatMap { $0 > 0 ? median / $0 : nil }
    }

    /// Whether the median reaches the goal; nil without one.
    package var verdict: Verdict? {
        guard let goal else { return nil }
        if reaches(goal, median) { return .met }
        if let rawMedian, !reaches(goal, rawMedian) { return .outOfReach }
        return .missed
    }

    private func reaches(_ goal: Double, _ value: Double) -> Bool {
        unit.isRate ? value >= goal : value < goal
    }
}
