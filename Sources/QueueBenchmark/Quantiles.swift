/// Quantiles of a sample, by the nearest rank: always one of the values.
package struct Quantiles: Sendable {
    private let sorted: [Double]

    /// Quantiles of at least one value.
    package init(_ values: [Double]) {
        precondition(!values.isEmpty, "quantiles of no values")
        sorted = values.sorted()
    }

    /// The least value that at least `share` (0…1) of the values do not exceed.
    package func quantile(_ share: Double) -> Double {
        let rank = (share * Double(sorted.count)).rounded(.up)
        return sorted[min(max(Int(rank) - 1, 0), sorted.count - 1)]
    }

    /// The middle value.
    package var median: Double { quantile(0.5) }
    /// The value that one in a hundred exceeds.
    package var p99: Double { quantile(0.99) }
}
