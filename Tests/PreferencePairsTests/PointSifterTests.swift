import PreferencePairs
import Testing

@Suite("Point sifting")
struct PointSifterTests {
    private func list(_ scores: [(Int, Double)]) -> [ScoredCandidate] {
        scores.map { ScoredCandidate(index: $0.0, score: $0.1) }
    }

    @Test("the highest of the chosen against the lowest of the rejected")
    func sifts() {
        let outcome = PointSifter.sift(
            chosen: list([(0, 3.5), (3, 4.5), (4, 4)]),
            rejected: list([(1, 2), (2, 1.5), (5, 3)]),
            marginMinimum: 0
        )
        #expect(
            outcome
                == .pair(
                    chosen: ScoredCandidate(index: 3, score: 4.5),
                    rejected: ScoredCandidate(index: 2, score: 1.5),
                    margin: 3
                )
        )
    }

    @Test("of equal scores the first index is taken, in whatever order they come")
    func ties() {
        for chosen in [[(4, 4.0), (0, 4)], [(0, 4.0), (4, 4)]] {
            guard
                case .pair(let best, let worst, _)? = PointSifter.sift(
                    chosen: list(chosen),
                    rejected: list([(5, 1), (1, 1), (3, 2)]),
                    marginMinimum: 0
                )
            else {
                Issue.record("expected a pair")
                return
            }
            #expect(best.index == 0 && worst.index == 1)
        }
    }

    @Test(
        "the margin must be more than the least allowed, and more than nothing",
        arguments: [
            (3.0, 2.0, 0.0, nil), (3, 2, 0.999, nil), (3, 2, 1, NoPairReason.marginBelowMinimum),
            (3, 2, 1.5, .marginBelowMinimum), (3, 3, 0, .chosenNotAbove),
            (2, 3, 0, .chosenNotAbove),
            (2, 3, 5, .chosenNotAbove),
        ]
    )
    func margins(chosen: Double, rejected: Double, minimum: Double, reason: NoPairReason?) {
        let outcome = PointSifter.sift(
            chosen: list([(0, chosen)]),
            rejected: list([(1, rejected)]),
            marginMinimum: minimum
        )
        if let reason {
            #expect(outcome == .noPair(reason))
        } else {
            guard case .pair = outcome else {
                Issue.record("expected a pair, got \(String(describing: outcome))")
                return
            }
        }
    }

    @Test("an empty list leaves nothing to sift")
    func empty() {
        #expect(PointSifter.sift(chosen: [], rejected: list([(0, 1)]), marginMinimum: 0) == nil)
        #expect(PointSifter.sift(chosen: list([(0, 1)]), rejected: [], marginMinimum: 0) == nil)
    }

    /// The slow twin: look at every pair of a chosen and a rejected candidate.
    private func bruteForce(
        _ chosen: [ScoredCandidate],
        _ rejected: [ScoredCandidate],
        _ minimum: Double
    ) -> PointSifter.Outcome? {
        var found: (ScoredCandidate, ScoredCandidate)?
        for best in chosen.sorted(by: { $0.index < $1.index }) {
            for worst in rejected.sorted(by: { $0.index < $1.index }) {
                guard let (oldBest, oldWorst) = found else {
                    found = (best, worst)
                    continue
                }
                let isWider = best.score - worst.score > oldBest.score - oldWorst.score
                if isWider { found = (best, worst) }
            }
        }
        guard let (best, worst) = found else { return nil }
        let margin = best.score - worst.score
        if margin <= 0 { return .noPair(.chosenNotAbove) }
        if margin <= minimum { return .noPair(.marginBelowMinimum) }
        return .pair(chosen: best, rejected: worst, margin: margin)
    }

    @Test("agrees with trying every pair", arguments: 0..<300 as Range<UInt64>)
    func property(seed: UInt64) {
        var random = SplitMix(seed: seed)
        // Quarters are exact in binary, so that equal differences are equal and ties are frequent.
        func side(_ indices: [Int]) -> [ScoredCandidate] {
            indices.map {
                ScoredCandidate(
                    index: $0,
                    score: Double(Int.random(in: 4...20, using: &random)) / 4
                )
            }
        }
        let count = Int.random(in: 0...10, using: &random)
        let indices = Array(0..<count * 2).shuffled(using: &random)
        let chosen = side(Array(indices.prefix(count)))
        let rejected = side(Array(indices.suffix(Int.random(in: 0...count, using: &random))))
        let minimum = Double(Int.random(in: 0...8, using: &random)) / 4
        let outcome = PointSifter.sift(chosen: chosen, rejected: rejected, marginMinimum: minimum)
        #expect(outcome == bruteForce(chosen, rejected, minimum), "seed \(seed)")
    }
}
