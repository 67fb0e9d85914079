/// Samples of one latency in milliseconds, repeat by repeat.
struct LatencySeries {
    private var medians: [Double] = []
    private var p99s: [Double] = []

    /// The samples of one repeat.
    mutating func add(_ samples: [Double]) {
        let quantiles = Quantiles(samples)
        medians.append(quantiles.median)
        p99s.append(quantiles.p99)
    }

    /// Two figures: the median and the 99th percentile, each with one value for each repeat.
    func measurements(
        _ name: String,
        _ title: String,
        raw: LatencySeries,
        medianGoal: Double? = nil,
        p99Goal: Double? = nil
    ) -> [Measurement] {
        [
            Measurement(
                name + ".p50",
                title + ", p50",
                .milliseconds,
                medians,
                raw: .init(PlainUpdate.title, raw.medians),
                goal: medianGoal
            ),
            Measurement(
                name + ".p99",
                title + ", p99",
                .milliseconds,
                p99s,
                raw: .init(PlainUpdate.title, raw.p99s),
                goal: p99Goal
            ),
        ]
    }
}
