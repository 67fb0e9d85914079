package import Hashing
package import RewardModeling

/// What one comparison of a plan came to.
package struct ComparisonOutcome: Sendable, Equatable {
    /// Which candidates were compared.
    package let comparison: Comparison
    /// The verdict with what it rests on, or why there is none.
    package let outcome: PairOutcome

    /// A comparison with its outcome.
    package init(comparison: Comparison, outcome: PairOutcome) {
        self.comparison = comparison
        self.outcome = outcome
    }

    /// The better and the worse candidate; nil for a tie and when there is no verdict. A tied
    /// comparison puts neither candidate in a list.
    package var decision: (chosen: Int, rejected: Int)? {
        guard case .compared(let swap, _) = outcome else { return nil }
        switch swap.verdict {
        case .first: return (comparison.first, comparison.second)
        case .second: return (comparison.second, comparison.first)
        case .tie, .unparsed: return nil
        }
    }

    /// Why there is no verdict; nil when there is one.
    package var failure: ItemFailure? {
        if case .failed(let failure, _) = outcome { return failure }
        return nil
    }

    /// The judgements the comparison rests on.
    package var judgements: [Digest] {
        switch outcome {
        case .compared(_, let judgements), .failed(_, let judgements): judgements
        }
    }

    /// An element of a result's `comparisons`: the fields of a `pair_rank` result, or `error`.
    package var json: PayloadValue {
        var fields: [String: PayloadValue]
        switch outcome {
        case .compared(let swap, _): fields = swap.json
        case .failed(let failure, _): fields = ["error": failure.json]
        }
        fields["first"] = .number(Double(comparison.first))
        fields["second"] = .number(Double(comparison.second))
        return .object(fields)
    }
}
