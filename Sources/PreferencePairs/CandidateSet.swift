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
    /// Candidates that won more comparisons than they lost, in rising order.
    package let chosen: [Int]
    /// Candidates that lost more comparisons than they won, in rising order.
    package let rejected: [Int]

    /// Sorts the candidates of decided comparisons. One that won as often as it lost is in neither
    /// list; where each is in one comparison, the lists are the winners and the losers.
    package init(_ outcomes: [ComparisonOutcome]) {
        var balance: [Int: Int] = [:]
        for decision in outcomes.compactMap(\.decision) {
            balance[decision.chosen, default: 0] += 1
            balance[decision.rejected, default: 0] -= 1
        }
        chosen = balance.filter { $0.value > 0 }.keys.sorted()
        rejected = balance.filter { $0.value < 0 }.keys.sorted()
    }

    /// The list a candidate is in; nil when its comparisons were tied or failed, or even out, or
    /// it had none.
    package func list(of candidate: Int) -> CandidateList? {
        if chosen.contains(candidate) { return .chosen }
        return rejected.contains(candidate) ? .rejected : nil
    }
}
