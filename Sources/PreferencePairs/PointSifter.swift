/// Why an item yields no preference pair. The raw values are stored with its result.
package enum NoPairReason: String, Sendable, CaseIterable {
    /// The policy wrote one and the same answer each time.
    case identicalCandidates = "identical_candidates"
    /// Every comparison was answered, and every one is a tie.
    case allComparisonsTied = "all_comparisons_tied"
    /// Every candidate won as many comparisons as it lost.
    case comparisonsCancelOut = "comparisons_cancel_out"
    /// No comparison was decided: some could not be read, the others are ties.
    case unparsedComparisons = "unparsed_comparisons"
    /// No comparison was decided: some failed otherwise, the others are ties.
    case failedComparisons = "failed_comparisons"
    /// Candidates were chosen and rejected, but the scores of one list could not be read.
    case unparsedScores = "unparsed_scores"
    /// Candidates were chosen and rejected, but the scores of one list failed otherwise.
    case failedScores = "failed_scores"
    /// The best chosen candidate does not score above the worst rejected one.
    case chosenNotAbove = "chosen_not_above_rejected"
    /// It does, but not by more than `margin_minimum`.
    case marginBelowMinimum = "margin_below_minimum"
}

/// A candidate, by its place in the item, with its point score.
package struct ScoredCandidate: Sendable, Equatable {
    /// Its place among the candidates.
    package let index: Int
    /// On the point template's scale.
    package let score: Double

    /// A candidate with its score.
    package init(index: Int, score: Double) {
        self.index = index
        self.score = score
    }
}

/// Point sifting (arXiv 2503.05236 §III-C): of the chosen the one with the highest score, of the
/// rejected the one with the lowest.
package enum PointSifter {
    /// What sifting gives.
    package enum Outcome: Sendable, Equatable {
        /// The margin is chosen minus rejected, in units of the scale, and above 0.
        case pair(chosen: ScoredCandidate, rejected: ScoredCandidate, margin: Double)
        case noPair(NoPairReason)
    }

    /// Of equal scores the candidate with the lower index is taken. The margin must be greater than
    /// `marginMinimum`, and greater than 0: the paper's scripts drop a prompt whose best chosen
    /// candidate does not score above its worst rejected one. Nil when a list is empty.
    package static func sift(
        chosen: [ScoredCandidate],
        rejected: [ScoredCandidate],
        marginMinimum: Double
    ) -> Outcome? {
        guard let best = chosen.min(by: isBetter), let worst = rejected.min(by: isWorse) else {
            return nil
        }
        let margin = best.score - worst.score
        guard margin > 0 else { return .noPair(.chosenNotAbove) }
        guard margin > marginMinimum else { return .noPair(.marginBelowMinimum) }
        return .pair(chosen: best, rejected: worst, margin: margin)
    }

    private static func isBetter(_ left: ScoredCandidate, _ right: ScoredCandidate) -> Bool {
        (-left.score, left.index) < (-right.score, right.index)
    }

    private static func isWorse(_ left: ScoredCandidate, _ right: ScoredCandidate) -> Bool {
        (left.score, left.index) < (right.score, right.index)
    }
}
