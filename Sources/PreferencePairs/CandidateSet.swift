import RewardModeling

/// Which side of the comparisons a candidate came out on.
package enum CandidateList: String, Sendable {
    /// It was judged better.
    case chosen
    /// It was judged worse.
    case rejected
}

/// The candidates of an item after pair ranking: the chosen and the rejected.
package struct CandidateSet: Sendable, Equatable {
    /// The better candidate of every decided comparison, in rising order.
    package let chosen: [Int]
    /// The worse candidate of every decided comparison, in rising order.
    package let rejected: [Int]

    /// Sorts the candidates of decided comparisons. Each candidate is in one comparison at most.
    package init(_ outcomes: [ComparisonOutcome]) {
        let decisions = outcomes.compactMap(\.decision)
        chosen = decisions.map(\.chosen).sorted()
        rejected = decisions.map(\.rejected).sorted()
    }

    /// The list a candidate is in; nil when its comparison was tied or failed, or it had none.
    package func list(of candidate: Int) -> CandidateList? {
        if chosen.contains(candidate) { return .chosen }
        return rejected.contains(candidate) ? .rejected : nil
    }
}
