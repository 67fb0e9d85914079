/// A response cut into words and marks, as `PairRankParser` reads it.
///
/// Letters and digits are separate words (`Image1` is `image`, `1`; `12` stays one word), letters
/// are folded to lower case, apostrophes belong to their word, a stroke that is none of a fraction is
/// an `or`. Emphasis, quotation marks and brackets are dropped, since models put them round anything;
/// every other mark ends a statement.
struct AnswerWords {
    /// A word in lower case, or a mark that ends a statement.
    enum Token: Equatable {
        case word(String)
        case mark
    }

    /// The words and marks in order.
    let tokens: [Token]

    /// Cuts a text up; linear in its length.
    init(_ text: String) {
        var tokens: [Token] = []
        var word = ""
        var kind = ScalarKind.space
        for scalar in text.unicodeScalars {
            let next = ScalarKind(scalar)
            if next == .dropped { continue }
            // "this / that" offers two; "9/10" does not.
            let isOffer = scalar == "/" && kind != .digit
            if next != kind, !word.isEmpty {
                tokens.append(.word(word))
                word = ""
            }
            kind = next
            switch next {
            case .letter:
                word += scalar == "\u{2019}" ? "'" : scalar.properties.lowercaseMapping
            case .digit: word.unicodeScalars.append(scalar)
            case .mark: tokens.append(isOffer ? .word("or") : .mark)
            case .space, .dropped: break
            }
        }
        if !word.isEmpty { tokens.append(.word(word)) }
        self.tokens = tokens
    }

    /// The word at a position; nil for a mark or past either end.
    func word(at index: Int) -> String? {
        guard tokens.indices.contains(index), case .word(let word) = tokens[index] else {
            return nil
        }
        return word
    }
}

private enum ScalarKind {
    case letter
    case digit
    case space
    case mark
    case dropped

    init(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "0"..."9": self = .digit
        case "*", "_", "`", "\"", "\u{201c}", "\u{201d}", "(", ")", "[", "]", "#", "<", ">":
            self = .dropped
        case "'", "\u{2019}": self = .letter
        default:
            if scalar.properties.isWhitespace {
                self = .space
            } else if scalar.properties.isAlphabetic {
                self = .letter
            } else {
                self = .mark
            }
        }
    }
}
