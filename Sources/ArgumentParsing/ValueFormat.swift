/// What the text of an option or argument must look like; checked before the command runs.
package struct ValueFormat: Sendable {
    /// Completes "expected …" in an error message, such as "a whole number from 1 to 512".
    package let expectation: String
    /// Whether a text has this format.
    package let accepts: @Sendable (String) -> Bool

    /// A format with its own rule.
    package init(expectation: String, accepts: @escaping @Sendable (String) -> Bool) {
        self.expectation = expectation
        self.accepts = accepts
    }

    /// Any text that is not empty.
    package static let text = ValueFormat(expectation: "some text") { !$0.isEmpty }

    /// A whole number within `range`.
    package static func int(_ range: ClosedRange<Int>) -> ValueFormat {
        ValueFormat(expectation: phrase(range)) { text in
            Int(text).map(range.contains) ?? false
        }
    }

    /// A finite number within `range`.
    package static func number(_ range: ClosedRange<Double>) -> ValueFormat {
        ValueFormat(expectation: phrase(range)) { text in
            Double(text).map { $0.isFinite && range.contains($0) } ?? false
        }
    }

    /// A duration such as `30s`, `5m`, `2h`, `1d`, `250ms` or `1h30m`.
    package static let duration = ValueFormat(expectation: DurationText.expectation) {
        DurationText.parse($0) != nil
    }

    static func phrase(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound, range.upperBound) {
        case (.min, .max): "a whole number"
        case (let low, .max): "a whole number of at least \(low)"
        case (let low, let high): "a whole number from \(low) to \(high)"
        }
    }

    static func phrase(_ range: ClosedRange<Double>) -> String {
        let low = range.lowerBound
        let high = range.upperBound
        let unboundedBelow = low == -.greatestFiniteMagnitude || low == -.infinity
        let unboundedAbove = high == .greatestFiniteMagnitude || high == .infinity
        switch (unboundedBelow, unboundedAbove) {
        case (true, true): return "a number"
        case (false, true): return "a number of at least \(brief(low))"
        case (true, false): return "a number of at most \(brief(high))"
        case (false, false): return "a number from \(brief(low)) to \(brief(high))"
        }
    }

    private static func brief(_ value: Double) -> String {
        let text = String(value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
