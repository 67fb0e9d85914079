/// Fail points as text: `checkpoint.before_commit=kill@3,claim.after=stop`.
///
/// A name of ``FailPoint``, an equals sign and `kill`, `stop` or `stall:5s` (up to 600 s), then perhaps `@` and
/// the number of the pass, 1 if left out. Several are separated by commas, each name at most once.
package enum FailPointList {
    /// A part of the text that is of no such form.
    package struct Malformed: Error, Sendable, Equatable {
        /// What was expected, one phrase.
        package let expected: String
        /// The part.
        package let got: String
    }

    /// Reads the text.
    package static func parse(_ text: String) throws(Malformed) -> [FailPoint: FailPoints.Trigger] {
        var triggers: [FailPoint: FailPoints.Trigger] = [:]
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let point = FailPoint(rawValue: String(sides[0])) else {
                let names = FailPoint.allCases.map(\.rawValue).joined(separator: ", ")
                throw Malformed(
                    expected: "point=action@pass, the point one of \(names)",
                    got: String(entry)
                )
            }
            guard triggers[point] == nil else {
                throw Malformed(expected: "every point once", got: String(entry))
            }
            triggers[point] = try trigger(sides[1], entry: entry)
        }
        return triggers
    }

    /// Writes what ``parse(_:)`` reads, in the order of the points.
    package static func text(_ triggers: [FailPoint: FailPoints.Trigger]) -> String {
        FailPoint.allCases.compactMap { point in
            triggers[point].map { "\(point.rawValue)=\($0.action.text)@\($0.pass)" }
        }.joined(separator: ",")
    }

    private static func trigger(
        _ text: Substring,
        entry: Substring
    ) throws(Malformed) -> FailPoints.Trigger {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let action = action(parts[0]) else {
            throw Malformed(
                expected: "the action kill, stop or stall:5s (up to 600s)",
                got: String(entry)
            )
        }
        guard parts.count == 2 else { return FailPoints.Trigger(action) }
        guard let pass = Int(parts[1]), pass >= 1 else {
            throw Malformed(expected: "the number of a pass, from 1, after @", got: String(entry))
        }
        return FailPoints.Trigger(action, pass: pass)
    }

    private static func action(_ word: Substring) -> FailPoints.Action? {
        switch word {
        case "kill": return .kill
        case "stop": return .stop
        default:
            guard word.hasPrefix("stall:"), word.hasSuffix("s"),
                let seconds = Double(word.dropFirst(6).dropLast()), (0...600).contains(seconds)
            else { return nil }
            return .stall(seconds: seconds)
        }
    }
}
