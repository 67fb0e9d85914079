import Hashing
package import RewardModeling

/// Two candidates, by their places in the item, that are compared with one another.
package struct Comparison: Sendable, Hashable {
    /// The place of the one called first in the verdict.
    package let first: Int
    /// The place of the other.
    package let second: Int

    /// Two different places.
    package init(first: Int, second: Int) {
        self.first = first
        self.second = second
    }
}

/// Which candidates of an item are compared.
package struct ComparisonPlan: Sendable, Equatable {
    /// The comparisons in the order they are asked.
    package let comparisons: [Comparison]
    /// Candidates in no comparison. They are scored, and belong to neither list.
    package let unpaired: [Int]

    /// The plan of a job's options for an item.
    package static func plan(
        for candidates: [Candidate],
        options: JudgingOptions
    ) -> ComparisonPlan {
        let order = options.seed.map { shuffled(candidates, seed: $0) }
        let plan: ComparisonPlan
        switch options.plan {
        case .paired: plan = paired(candidates: candidates.count)
        case .roundRobin: plan = roundRobin(candidates: candidates.count, rounds: options.rounds)
        }
        guard let order else { return plan }
        return ComparisonPlan(
            comparisons: plan.comparisons.map {
                Comparison(first: order[$0.first], second: order[$0.second])
            },
            unpaired: plan.unpaired.map { order[$0] }.sorted()
        )
    }

    /// Everyone against everyone, in rounds in which each plays at most once (the circle method: one
    /// stays, the others go round). The first k rounds of it give every candidate k opponents, or k − 1
    /// of an odd number. Everyone is named first as often as second, so that with single orders no
    /// candidate has the model's preference for a place on its side.
    package static func roundRobin(
        candidates count: Int,
        rounds: Int? = nil
    ) -> ComparisonPlan {
        guard count > 1 else {
            return ComparisonPlan(comparisons: [], unpaired: Array(0..<max(count, 0)))
        }
        let seats = count + count % 2
        var comparisons: [Comparison] = []
        for round in 0..<min(rounds ?? seats - 1, seats - 1) {
            for table in 0..<seats / 2 {
                let left = table == 0 ? seats - 1 : (round + table) % (seats - 1)
                let right = (round + seats - 1 - table) % (seats - 1)
                guard left < count, right < count else { continue }
                // By the parity of their places, which gives all the same number of first names.
                let (low, high) = (min(left, right), max(left, right))
                comparisons.append(
                    (low + high).isMultiple(of: 2)
                        ? Comparison(first: high, second: low)
                        : Comparison(first: low, second: high)
                )
            }
        }
        let met = Set(comparisons.flatMap { [$0.first, $0.second] })
        return ComparisonPlan(
            comparisons: comparisons,
            unpaired: (0..<count).filter { !met.contains($0) }
        )
    }

    /// The candidates' places in an order that the seed and the candidates decide: the same item is
    /// shuffled alike on every daemon and after every restart, different items differently.
    private static func shuffled(_ candidates: [Candidate], seed: Int) -> [Int] {
        let keys = candidates.enumerated().map { index, candidate in
            var hash = SHA256()
            for text in ["comparison plan 1", "\(seed)", "\(index)", candidate.json.json] {
                hash.update(field: text.utf8)
            }
            return hash.digest().hex
        }
        return candidates.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
    }

    /// Neighbours: (0, 1), (2, 3), …: the N/2 pairs of the paper (arXiv 2503.05236 §III-C). Of an
    /// odd number of candidates the last is left over.
    package static func paired(candidates count: Int) -> ComparisonPlan {
        let comparisons = stride(from: 0, to: count - 1, by: 2).map {
            Comparison(first: $0, second: $0 + 1)
        }
        return ComparisonPlan(
            comparisons: comparisons,
            unpaired: Array(comparisons.count * 2..<max(count, 0))
        )
    }
}
