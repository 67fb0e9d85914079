/// Reads which words of a caption a picture shows, and how well: `Word-wise Scores: [["dog", 0.97],
/// ["[No_mistakes]", 0.02]]`.
///
/// It stands beside the scores of criteria and decides nothing; a list that cannot be read is left
/// out, and the raw response keeps it.
package enum WordScoreParser {
    /// The words with their numbers in the answer's order; nil when there is no such list.
    package static func parse(_ response: String) -> [(word: String, score: Double)]? {
        guard let answer = AnswerSection.of(response) else { return nil }
        let scanner = AnswerScanner(answer)
        guard let marker = scanner.lastMarker(["word", "wise", "scores"]),
            let list = balanced(scanner.scalars[marker.end...]),
            case .array(let entries)? = PayloadValue(json: list.utf8)
        else { return nil }
        var words: [(word: String, score: Double)] = []
        for entry in entries {
            guard case .array(let parts) = entry, parts.count == 2,
                case .string(let word) = parts[0], case .number(let score) = parts[1]
            else { return nil }
            words.append((word, score))
        }
        return words
    }

    /// The JSON array that starts after white space, up to the bracket that closes it.
    private static func balanced(_ scalars: ArraySlice<Unicode.Scalar>) -> String? {
        let list = scalars.drop { $0.properties.isWhitespace || $0 == "*" }
        guard list.first == "[" else { return nil }
        var depth = 0
        var isQuoted = false
        var isEscaped = false
        for index in list.indices {
            let scalar = list[index]
            if isEscaped {
                isEscaped = false
            } else if isQuoted {
                if scalar == "\\" { isEscaped = true }
                if scalar == "\"" { isQuoted = false }
            } else {
                switch scalar {
                case "\"": isQuoted = true
                case "[": depth += 1
                case "]": depth -= 1
                default: break
                }
                if depth == 0 {
                    var text = String.UnicodeScalarView()
                    text.append(contentsOf: list[list.startIndex...index])
                    return String(text)
                }
            }
        }
        return nil
    }
}
