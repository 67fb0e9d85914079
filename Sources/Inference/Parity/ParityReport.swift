/// What a parity run found.
package struct ParityReport: Sendable, Encodable {
    /// One number of one stage of one case.
    package struct Measurement: Sendable, Encodable {
        /// Stage of the computation: `pixels`, `vision_out`, `logits_last`, …
        package let stage: String
        /// Largest difference from the golden; a count of unequal values for exact stages.
        package let difference: Double
        /// Largest difference allowed.
        package let tolerance: Double
        /// Values compared.
        package let count: Int
        /// Said when the tolerance or the verdict needs an explanation.
        package let note: String?

        /// Within the tolerance, and something was compared.
        package var isWithin: Bool { difference <= tolerance && count > 0 }
    }

    /// One case.
    package struct Case: Sendable, Encodable {
        /// Name of the golden.
        package let name: String
        /// Why it was not run; nil when it was.
        package let skipped: String?
        /// In the order of the computation.
        package let measurements: [Measurement]

        /// Nothing was over its tolerance.
        package var isWithin: Bool { measurements.allSatisfy(\.isWithin) }
    }

    /// Every case found, in order of name.
    package let cases: [Case]

    /// At least one case was run and none was over a tolerance.
    package var isWithin: Bool {
        cases.contains { $0.skipped == nil } && cases.allSatisfy(\.isWithin)
    }

    /// The largest difference of each stage over all cases, in order of first appearance.
    package var worst: [Measurement] {
        var order: [String] = []
        var worst: [String: Measurement] = [:]
        for measurement in cases.flatMap(\.measurements) {
            guard let held = worst[measurement.stage] else {
                order.append(measurement.stage)
                worst[measurement.stage] = measurement
                continue
            }
            if measurement.difference > held.difference { worst[measurement.stage] = measurement }
        }
        return order.compactMap { worst[$0] }
    }

    /// A table for people: each case, each stage, and what was over.
    package var text: String {
        var lines: [String] = []
        for golden in cases {
            if let skipped = golden.skipped {
                lines.append("\(golden.name): skipped: \(skipped)")
                continue
            }
            lines.append("\(golden.name):\(golden.isWithin ? "" : " OVER TOLERANCE")")
            lines += golden.measurements.map { "  " + line(of: $0) }
        }
        lines.append("largest difference of each stage:")
        lines += worst.map { "  " + line(of: $0) }
        let over = cases.flatMap { golden in
            golden.measurements.filter { !$0.isWithin }.map { "\(golden.name) \($0.stage)" }
        }
        let run = cases.count { $0.skipped == nil }
        let verdict =
            if !over.isEmpty {
                "over tolerance: \(over.joined(separator: ", "))."
            } else if run == 0 {
                "nothing was compared: \(cases.count) cases skipped."
            } else {
                "\(run) cases run, \(cases.count - run) skipped, all within tolerance."
            }
        lines.append(verdict)
        return lines.joined(separator: "\n") + "\n"
    }

    private func line(of measurement: Measurement) -> String {
        let stage = measurement.stage.padding(to: 18)
        let difference = scientific(measurement.difference).padding(to: 9)
        let verdict = measurement.isWithin ? "ok  " : "OVER"
        let note = measurement.note.map { "  (\($0))" } ?? ""
        return "\(stage)\(difference) of \(scientific(measurement.tolerance).padding(to: 9))"
            + "\(verdict)  \(measurement.count) values\(note)"
    }

    /// Two significant digits: `3.1e-06`, `0`.
    private func scientific(_ value: Double) -> String {
        guard value != 0, value.isFinite else { return value == 0 ? "0" : "\(value)" }
        var exponent = 0
        var mantissa = abs(value)
        while mantissa >= 9.95 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while mantissa < 0.995 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        let tenths = Int((mantissa * 10).rounded())
        let digits = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
        return "\(tenths / 10).\(tenths % 10)e\(exponent < 0 ? "-" : "+")\(digits)"
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(width - count, 1))
    }
}
