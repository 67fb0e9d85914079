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
