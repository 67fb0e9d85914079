/// Spearman's rank correlation: how well one list's order follows another's.
package enum RankCorrelation {
    /// Pearson's correlation of the two lists' ranks (Spearman 1904), which is the definition that
    /// holds with ties too; from -1 to 1.
    ///
    /// Nil for fewer than two values, when one list is constant, and when a value is not a number.
    /// - Precondition: both lists have one length.
    package static func spearman(_ one: [Double], _ other: [Double]) -> Double? {
        precondition(one.count == other.count, "values in pairs")
        guard one.count > 1, (one + other).allSatisfy({ !$0.isNaN }) else { return nil }
        let mean = Double(one.count + 1) / 2
        var covariance = 0.0
        var variances = (0.0, 0.0)
        for (left, right) in zip(ranks(one), ranks(other)) {
            covariance += (left - mean) * (right - mean)
            variances.0 += (left - mean) * (left - mean)
            variances.1 += (right - mean) * (right - mean)
        }
        guard variances.0 > 0, variances.1 > 0 else { return nil }
        let correlation = covariance / (variances.0 * variances.1).squareRoot()
        return min(max(correlation, -1), 1)
    }

    /// The rank of each value, 1 for the least; equal values share the mean of their places.
    package static func ranks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + 1 + end) / 2 }
            start = end
        }
        return ranks
    }
}
