/// What a comparison of two candidates came to.
///
/// `unparsed` is an outcome of its own and never a value: it is not a tie, and no candidate wins by
/// it.
package enum Verdict: String, Sendable, CaseIterable {
    /// The first candidate is better.
    case first
    /// The second candidate is better.
    case second
    /// Neither is better.
    case tie
    /// The model's answer says none of these.
    case unparsed

    /// The same verdict with the two candidates' places exchanged.
    package var swapped: Verdict {
        switch self {
        case .first: .second
        case .second: .first
        case .tie, .unparsed: self
        }
    }
}

/// Which of an item's two candidates the model was shown first.
package enum PresentationOrder: String, Sendable, CaseIterable {
    /// The item's first candidate is shown first.
    case firstSecond = "first_second"
    /// The item's second candidate is shown first.
    case secondFirst = "second_first"

    /// A verdict about the candidates as shown, turned into one about the item's first and second;
    /// and, being its own inverse, the other way round.
    package func inItemOrder(_ verdict: Verdict) -> Verdict {
        self == .firstSecond ? verdict : verdict.swapped
    }
}
