/// Reads the score out of a free answer to a point question.
///
/// The number right after the last `Final Score:` counts, with its sign and decimals. No marker, no
/// number there, `nan`, a number off the scale, or one that goes on in a way that changes its
/// meaning (`3-4`, `3,7`, `8/10` on a scale to 5) is nil: unparsed, never 0 and never a number from
/// elsewhere in the text, as the reference's scripts would have it.
package enum PointScoreParser {
    /// Nil when the answer holds no score on the scale.
    package static func parse(_ response: String, scale: Scale) -> Score? {
        guard let answer = AnswerSection.of(response) else { return nil }
        let scalars = Array(answer.unicodeScalars)
        guard let start = endOfLastMarker(scalars) else { return nil }
        guard let (value, end) = number(scalars, from: skipOpening(scalars, from: start)) else {
            return nil
        }
        guard endsCleanly(scalars, at: end, scale: scale) else { return nil }
        return Score(value, on: scale)
    }

    /// The position after the colon of the last `Final Score:`, in any case, with any space or
    /// emphasis between its parts, and optionally a remark in brackets before the colon: `Final
    /// Score (1-5):`.
    private static func endOfLastMarker(_ scalars: [Unicode.Scalar]) -> Int? {
        for start in scalars.indices.reversed() {
            guard let word = end(of: "final", scalars, from: start) else { continue }
            let gap = skip(scalars, from: word, isSpaceOrEmphasis)
            guard gap > word, let score = end(of: "score", scalars, from: gap) else { continue }
            var position = skip(scalars, from: score, isSpaceOrEmphasis)
            if position < scalars.count, scalars[position] == "(" {
                position = skip(scalars, from: position) { $0 != ")" && $0 != "\n" }
                guard position < scalars.count, scalars[position] == ")" else { continue }
                position = skip(scalars, from: position + 1, isSpaceOrEmphasis)
            }
            guard position < scalars.count, scalars[position] == ":" || scalars[position] == "："
            else { continue }
            return position + 1
        }
        return nil
    }

    /// The position after a lower-case ASCII word that stands here in any case; nil when it does
    /// not.
    private static func end(
        of word: String,
        _ scalars: [Unicode.Scalar],
        from start: Int
    ) -> Int? {
        var position = start
        for letter in word.unicodeScalars {
            guard position < scalars.count, scalars[position].isASCII,
                scalars[position].value | 0x20 == letter.value
            else { return nil }
            position += 1
        }
        return position
    }

    private static func skipOpening(_ scalars: [Unicode.Scalar], from start: Int) -> Int {
        skip(scalars, from: start) { isSpaceOrEmphasis($0) || "[(<\"".unicodeScalars.contains($0) }
    }

    /// A number of the form `[-+]digits[.digits]`, and the position after it.
    private static func number(
        _ scalars: [Unicode.Scalar],
        from start: Int
    ) -> (value: Double, end: Int)? {
        var position = start
        var text = ""
        if position < scalars.count, "+-\u{2212}".unicodeScalars.contains(scalars[position]) {
            text = scalars[position] == "+" ? "" : "-"
            position += 1
        }
        let whole = skip(scalars, from: position, isDigit)
        guard whole > position else { return nil }
        var end = whole
        if whole < scalars.count, scalars[whole] == "." {
            let fraction = skip(scalars, from: whole + 1, isDigit)
            if fraction > whole + 1 { end = fraction }
        }
        text.unicodeScalars.append(contentsOf: scalars[position..<end])
        guard let value = Double(text), value.isFinite else { return nil }
        return (value, end)
    }

    /// Whether what follows the number leaves it what it is.
    private static func endsCleanly(
        _ scalars: [Unicode.Scalar],
        at end: Int,
        scale: Scale
    ) -> Bool {
        let position = skip(scalars, from: end) { $0 != "\n" && isSpaceOrEmphasis($0) }
        guard position < scalars.count else { return true }
        if scalars[position] == "/" {
            return denominator(scalars, from: position + 1) == scale.maximum
        }
        if position > end, let out = self.end(of: "out", scalars, from: position),
            let of = self.end(of: "of", scalars, from: skip(scalars, from: out, isSpaceOrEmphasis))
        {
            return denominator(scalars, from: of) == scale.maximum
        }
        if position == end, scalars[end].properties.isAlphabetic || scalars[end] == "%" {
            return false
        }
        let isJoint = "-\u{2013}\u{2014},.".unicodeScalars.contains(scalars[position])
        guard isJoint else { return true }
        let after = skip(scalars, from: position + 1) { $0 == " " }
        // "3.7. 2 objects are missing" is a sentence's end; "3-4", "3,7" and "3.7.1" are not
        // numbers.
        let spaced = after > position + 1 && ".,".unicodeScalars.contains(scalars[position])
        return spaced || after >= scalars.count || !isDigit(scalars[after])
    }

    private static func denominator(_ scalars: [Unicode.Scalar], from start: Int) -> Double? {
        number(scalars, from: skip(scalars, from: start, isSpaceOrEmphasis))?.value
    }

    private static func skip(
        _ scalars: [Unicode.Scalar],
        from start: Int,
        _ isSkipped: (Unicode.Scalar) -> Bool
    ) -> Int {
        var position = start
        while position < scalars.count, isSkipped(scalars[position]) { position += 1 }
        return position
    }

    private static func isSpaceOrEmphasis(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar == "*" || scalar == "_" || scalar == "`"
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar >= "0" && scalar <= "9"
    }
}
