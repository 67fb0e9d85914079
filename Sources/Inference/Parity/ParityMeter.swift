/// Collects the measurements of one case.
struct ParityMeter {
    /// Absolute tolerance of features, hidden rows included.
    static let featureTolerance = 5e-5
    /// Absolute tolerance of logits.
    static let logitTolerance = 2e-4
    /// Relative tolerance of row norms.
    static let normTolerance = 2e-5
    /// Differences between two attention paths of the reference up to which the tolerances hold as
    /// they are; a golden with more noise of its own widens them in proportion, and says so.
    static let ordinaryNoise = 2e-5

    private(set) var measurements: [ParityReport.Measurement] = []
    private let slack: Double

    init(noiseFloor: Double?) {
        slack = max(1, (noiseFloor ?? 0) / ParityMeter.ordinaryNoise)
    }

    /// The logit tolerance of this case.
    var logitTolerance: Double { ParityMeter.logitTolerance * slack }

    /// Counts unequal values; none is allowed.
    mutating func equal<Value: Equatable>(
        _ stage: String,
        _ actual: [Value],
        _ expected: [Value],
        note: String? = nil
    ) {
        let unequal = actual == expected ? 0 : zip(actual, expected).count { $0 != $1 }
        let difference = unequal + abs(actual.count - expected.count)
        add(stage, Double(difference), tolerance: 0, count: expected.count, note: note)
    }

    /// Largest absolute difference of features.
    mutating func features(_ stage: String, _ actual: [Float], _ expected: [Float]) {
        absolute(stage, actual, expected, tolerance: ParityMeter.featureTolerance * slack)
    }

    /// Largest absolute difference of logits.
    mutating func logits(_ stage: String, _ actual: [Float], _ expected: [Float]) {
        absolute(stage, actual, expected, tolerance: logitTolerance)
    }

    /// Largest relative difference of norms.
    mutating func norms(_ stage: String, _ actual: [Float], _ expected: [Float]) {
        guard actual.count == expected.count else {
            return mismatch(stage, actual.count, expected.count)
        }
        let largest = zip(actual, expected).map { relative($0, $1) }.max() ?? 0
        add(
            stage,
            largest,
            tolerance: ParityMeter.normTolerance * slack,
            count: expected.count,
            note: "relative"
        )
    }

    /// Adds a number measured elsewhere.
    mutating func add(
        _ stage: String,
        _ difference: Double,
        tolerance: Double,
        count: Int,
        note: String?
    ) {
        let widened = tolerance > 0 && slack > 1
        let notes = [
            note,
            widened ? "tolerance widened by the golden's own noise, \(slack) times ordinary" : nil,
        ].compactMap { $0 }
        measurements.append(
            ParityReport.Measurement(
                stage: stage,
                difference: difference.isNaN ? .infinity : difference,
                tolerance: tolerance,
                count: count,
                note: notes.isEmpty ? nil : notes.joined(separator: "; ")
            )
        )
    }

    private mutating func absolute(
        _ stage: String,
        _ actual: [Float],
        _ expected: [Float],
        tolerance: Double
    ) {
        guard actual.count == expected.count else {
            return mismatch(stage, actual.count, expected.count)
        }
        var largest = 0.0
        for (a, b) in zip(actual, expected) {
            let difference = abs(Double(a) - Double(b))
            // A NaN compares false with everything: it must count as the worst.
            if !(difference <= largest) { largest = difference }
        }
        add(stage, largest, tolerance: tolerance, count: expected.count, note: nil)
    }

    private func relative(_ actual: Float, _ expected: Float) -> Double {
        abs(Double(actual) - Double(expected)) / max(abs(Double(expected)), 1e-12)
    }

    private mutating func mismatch(_ stage: String, _ actual: Int, _ expected: Int) {
        add(
            stage,
            .infinity,
            tolerance: 0,
            count: expected,
            note: "expected \(expected) values, got \(actual)"
        )
    }
}
