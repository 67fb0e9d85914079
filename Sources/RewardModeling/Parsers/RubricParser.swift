/// Reads the verdict and the dimensions out of a rubric in JSON (UnifiedReward-Flex):
/// `{"categories": [{"dims": [{"name", "score_1", "score_2"}], …}], "winner": "Image 1"}`.
///
/// The document must be whole, though commas may be left over before a closing bracket, as models leave them. One
/// that was cut off, or is no JSON, is unparsed, although a winner of one category may stand in it: that is not
/// the winner.
package enum RubricParser {
    /// What a rubric says, about the candidates as presented.
    package struct Reading: Sendable, Equatable {
        /// Never `unparsed`.
        package let verdict: Verdict
        /// The dimensions whose two numbers are on the scale, by name.
        package let criteria: [CriterionReading]
    }

    /// Nil when the answer holds no whole rubric with a winner.
    package static func parse(_ response: String) -> Reading? {
        guard let answer = AnswerSection.of(response),
            let open = answer.utf8.firstIndex(of: UInt8(ascii: "{")),
            let close = answer.utf8.lastIndex(of: UInt8(ascii: "}")), open < close,
            case .object(let rubric)? = PayloadValue(json: answer.utf8[open...close]),
            case .string(let winner)? = rubric["winner"], let verdict = verdict(winner)
        else { return nil }
        return Reading(verdict: verdict, criteria: criteria(rubric["categories"]))
    }

    /// `Image 2`, `Video 2`, `tie`; nil for anything else.
    private static func verdict(_ winner: String) -> Verdict? {
        let words = AnswerWords(winner).tokens.map { token -> String in
            if case .word(let word) = token { return word }
            return "."
        }
        switch words {
        case ["image", "1"], ["video", "1"]: return .first
        case ["image", "2"], ["video", "2"]: return .second
        case ["tie"], ["equal"], ["both"]: return .tie
        default: return nil
        }
    }

    private static func criteria(_ categories: PayloadValue?) -> [CriterionReading] {
        guard let scale = Scale(minimum: 0, maximum: 10), case .array(let categories)? = categories
        else { return [] }
        var readings: [CriterionReading] = []
        for category in categories {
            guard case .object(let fields) = category, case .array(let dimensions)? = fields["dims"]
            else { continue }
            for dimension in dimensions {
                guard case .object(let parts) = dimension, case .string(let name)? = parts["name"],
                    case .number(let first)? = parts["score_1"],
                    case .number(let second)? = parts["score_2"],
                    Score(first, on: scale) != nil, Score(second, on: scale) != nil
                else { continue }
                readings.append(
                    CriterionReading(
                        name: String(name.prefix(80)),
                        value: .pair(first: first, second: second),
                        scale: scale
                    )
                )
            }
        }
        return readings
    }
}
