/// How many of so many: a share with its uncertainty.
package struct Proportion: Sendable, Equatable {
    /// How many there were.
    package private(set) var matched = 0
    /// Of how many.
    package private(set) var count = 0

    /// None of none.
    package init() {}

    /// So many of so many.
    package init(_ matched: Int, of count: Int) {
        precondition((0...count).contains(matched), "a part of the whole")
        self.matched = matched
        self.count = count
    }

    /// Counts one more.
    package mutating func note(_ matches: Bool) {
        count += 1
        if matches { matched += 1 }
    }

    /// From 0 to 1; nil when there is nothing to have a share of.
    package var share: Double? {
        count > 0 ? Double(matched) / Double(count) : nil
    }

    /// Where the true share lies with 95 % confidence; nil when nothing was counted.
    ///
    /// Wilson's score interval (Wilson 1927, "Probable inference, the law of succession, and
    /// statistical inference"), which stays within 0…1 and has a width even for shares of 0 and 1.
    package var interval: ClosedRange<Double>? {
        guard let share else { return nil }
        let z = 1.959_963_984_540_054
        let n = Double(count)
        let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        let variance = share * (1 - share) / n + z * z / (4 * n * n)
        let half = z / (1 + z * z / n) * variance.squareRoot()
        // At shares of 0 and 1 one end is 0 or 1 up to rounding.
        let low = matched == 0 ? 0 : max(0, centre - half)
        let high = matched == count ? 1 : min(1, centre + half)
        return low...high
    }
}
