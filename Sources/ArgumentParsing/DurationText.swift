/// Reads and writes durations as people type them: `30s`, `5m`, `1h30m`, `250ms`, `2d`.
package enum DurationText {
    /// Completes "expected …" in an error message.
    package static let expectation = "a duration such as 30s, 5m, 2h or 1d"

    private static let millisecondsPerUnit: [String: Double] = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]

    /// The duration a text stands for, or nil when it is not one.
    ///
    /// Numbers may have a fraction; each unit appears at most once; a bare number is refused because
    /// its unit would be a guess, except `0`. At most ten years.
    package static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = text[...]
        var total = 0.0
        var seen: Set<String> = []
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = String(rest.prefix { $0.isASCII && $0.isLetter })
            rest = rest.dropFirst(unit.count)
            guard let value = Double(digits), value.isFinite,
                let milliseconds = millisecondsPerUnit[unit], seen.insert(unit).inserted
            else { return nil }
            total += value * milliseconds
        }
        guard !seen.isEmpty, total <= 10 * 366 * 86_400_000 else { return nil }
        return .milliseconds(Int64(total.rounded()))
    }

    /// The two largest units of a duration: `1d 4h`, `3m 20s`, `12s`, `250ms`.
    package static func describe(_ duration: Duration) -> String {
        let milliseconds =
            duration.components.seconds * 1000
            + duration.components.attoseconds / 1_000_000_000_000_000
        guard milliseconds >= 0 else { return "-" + describe(.zero - duration) }
        if milliseconds > 0, milliseconds < 1000 { return "\(milliseconds)ms" }
        let seconds = milliseconds / 1000
        let parts: [(Int64, String)] = [
            (seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
        ]
        guard let first = parts.firstIndex(where: { $0.0 > 0 }) else { return "0s" }
        var text = "\(parts[first].0)\(parts[first].1)"
        if first + 1 < parts.count, parts[first + 1].0 > 0 {
            text += " \(parts[first + 1].0)\(parts[first + 1].1)"
        }
        return text
    }
}
