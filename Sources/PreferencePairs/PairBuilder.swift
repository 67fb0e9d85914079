import Hashing
package import RewardModeling

/// What a `build_pairs` item came to.
package enum PairBuilding: Sendable, Equatable {
    /// A preference pair.
    case pair(PreferencePair)
    /// None, for a reason that is an answer and is recorded as the result.
    case noPair(NoPairReason)
    /// None, because no question about one of the stages could be answered.
    case failed(ItemFailure)
}

/// Pair ranking and point sifting over answers that are there already: no engine, no order of
/// events.
package struct PairBuilder: Sendable {
    private let candidates: [Candidate]
    private let comparisons: [ComparisonOutcome]
    private let scores: [PointOutcome]
    private let marginMinimum: Double

    /// - Parameters:
    ///   - comparisons: The plan's comparisons, each with its outcome.
    ///   - scores: One outcome for each candidate, in the item's order.
    package init(
        candidates: [Candidate],
        comparisons: [ComparisonOutcome],
        scores: [PointOutcome],
        marginMinimum: Double
    ) {
        precondition(candidates.count == scores.count, "every candidate is scored")
        self.candidates = candidates
        self.comparisons = comparisons
        self.scores = scores
        self.marginMinimum = marginMinimum
    }

    /// Builds the pair. The item fails only when errors leave nothing to decide on: no comparison
    /// was answered, or no candidate of either list was scored.
    package func build() -> PairBuilding {
        let failures = comparisons.compactMap(\.failure)
        if failures.count == comparisons.count, let first = failures.first {
            return .failed(
                ItemFailure(
                    code: first.code,
                    message: "no comparison was answered: \(first.message)"
                )
            )
        }
        let set = CandidateSet(comparisons)
        // In a cycle of wins every candidate wins as often as it loses.
        let isDecided = comparisons.contains { $0.decision != nil }
        if isDecided, set.chosen.isEmpty { return .noPair(.comparisonsCancelOut) }
        guard !set.chosen.isEmpty else {
            guard !failures.isEmpty else { return .noPair(.allComparisonsTied) }
            return .noPair(areUnparsed(failures) ? .unparsedComparisons : .failedComparisons)
        }
        let chosen = scored(set.chosen)
        let rejected = scored(set.rejected)
        let sifted = PointSifter.sift(
            chosen: chosen,
            rejected: rejected,
            marginMinimum: marginMinimum
        )
        switch sifted {
        case .pair(let best, let worst, let margin)?: return .pair(pair(best, worst, margin))
        case .noPair(let reason)?: return .noPair(reason)
        case nil: return unscored(set, chosen: chosen, rejected: rejected)
        }
    }

    /// The candidates that have a score; one whose score failed is left out.
    private func scored(_ indices: [Int]) -> [ScoredCandidate] {
        indices.compactMap { index in
            guard case .scored(let point) = scores[index] else { return nil }
            return ScoredCandidate(index: index, score: point.score.value)
        }
    }

    /// The outcome when at least one list has no score at all.
    private func unscored(
        _ set: CandidateSet,
        chosen: [ScoredCandidate],
        rejected: [ScoredCandidate]
    ) -> PairBuilding {
        let empty = (chosen.isEmpty ? set.chosen : []) + (rejected.isEmpty ? set.rejected : [])
        let failures = empty.sorted().compactMap { index -> ItemFailure? in
            guard case .failed(let failure, _) = scores[index] else { return nil }
            return failure
        }
        if chosen.isEmpty, rejected.isEmpty, let first = failures.first {
            return .failed(
                ItemFailure(code: first.code, message: "no candidate was scored: \(first.message)")
            )
        }
        return .noPair(areUnparsed(failures) ? .unparsedScores : .failedScores)
    }

    private func pair(
        _ chosen: ScoredCandidate,
        _ rejected: ScoredCandidate,
        _ margin: Double
    ) -> PreferencePair {
        let deciding = comparisons.filter { outcome in
            guard let decision = outcome.decision else { return false }
            return decision.chosen == chosen.index || decision.rejected == rejected.index
        }
        return PreferencePair(
            chosenIndex: chosen.index,
            rejectedIndex: rejected.index,
            chosen: candidates[chosen.index],
            rejected: candidates[rejected.index],
            chosenScore: chosen.score,
            rejectedScore: rejected.score,
            margin: margin,
            evidence: PairEvidence(
                comparisons: deciding,
                chosenScore: judgements(of: chosen.index),
                rejectedScore: judgements(of: rejected.index)
            )
        )
    }

    private func judgements(of index: Int) -> [Digest] {
        guard case .scored(let point) = scores[index] else { return [] }
        return point.judgements
    }

    private func areUnparsed(_ failures: [ItemFailure]) -> Bool {
        failures.allSatisfy { $0.code == "unparsed" }
    }
}
