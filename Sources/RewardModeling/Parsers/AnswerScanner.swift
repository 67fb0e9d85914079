/// A free answer as the number parsers walk over it: Unicode scalars by position.
///
/// `Character`s would not do: a combining mark after a colon or a digit would hide it.
struct AnswerScanner {
    /// The answer's scalars.
    let scalars: [Unicode.Scalar]

    /// Takes a text apart.
    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    /// Where a marker stands: its first word, and the position after its colon.
    struct Marker: Equatable {
        let start: Int
        let end: Int
    }

    /// The last `words:` of the answer, in any case, with any space, hyphen or emphasis between its parts, and
    /// optionally a remark in brackets before the colon: `Final Score (1-5):`. Words are ASCII and in
    /// lower case. A marker inside a longer word (`lifestyle score:` for `style score`) is none.
    func lastMarker(_ words: [String], in range: Range<Int>? = nil) -> Marker? {
        let range = range ?? scalars.indices
        // Most positions end here: a cheap look at one letter, before anything about Unicode is asked.
        let initial = words.first?.unicodeScalars.first?.value ?? 0
        for start in range.reversed() {
            guard scalars[start].value | 0x20 == initial else { continue }
            if start > 0, isWordPart(scalars[start - 1]) { continue }
            if let end = endOfMarker(words, at: start), end <= range.upperBound {
                return Marker(start: start, end: end)
            }
        }
        return nil
    }

    private func endOfMarker(_ words: [String], at start: Int) -> Int? {
        var position = start
        for (index, word) in words.enumerated() {
            if index > 0 {
                let gap = skip(from: position) { Self.isSpaceOrEmphasis($0) || $0 == "-" }
                // A digit may follow its word at once: `Image1:`.
                guard gap > position || word.first?.isNumber == true else { return nil }
                position = gap
            }
            guard let end = end(of: word, from: position) else { return nil }
            position = end
        }
        position = skip(from: position, Self.isSpaceOrEmphasis)
        if position < scalars.count, scalars[position] == "(" {
            position = skip(from: position) { $0 != ")" && $0 != "\n" }
            guard position < scalars.count, scalars[position] == ")" else { return nil }
            position = skip(from: position + 1, Self.isSpaceOrEmphasis)
        }
        guard position < scalars.count, scalars[position] == ":" || scalars[position] == "："
        else { return nil }
        return position + 1
    }

    /// The number on the scale that stands from a position on, after space, emphasis or an opening
    /// bracket: `[-+]digits[.digits][e-digits]`. Nil for anything else, `nan` included, for one that goes on in a
    /// way that changes its meaning (`3-4`, `3 or 4`, `3, 4`, `3,7`, `< 3`, `8/10` on a scale to 5), and for one
    /// off the scale by more than the rounding of a single-precision number.
    ///
    /// - Parameter mayBeFollowed: Whether another number may come next, as in `3 and 4`.
    func score(
        from start: Int,
        scale: Scale,
        before limit: Int? = nil,
        mayBeFollowed: Bool = false
    ) -> Double? {
        let opening = skip(from: start) {
            Self.isSpaceOrEmphasis($0) || "[(<\"".unicodeScalars.contains($0)
        }
        guard let (value, end) = number(from: opening), end <= limit ?? scalars.count,
            endsCleanly(at: end, scale: scale, mayBeFollowed: mayBeFollowed)
        else { return nil }
        // "<4>" is a number in brackets, "< 4" is none.
        if scalars[start..<opening].contains("<") {
            let close = skip(from: end, Self.isSpaceOrEmphasis)
            guard close < scalars.count, scalars[close] == ">" else { return nil }
        }
        let rounding = (scale.maximum - scale.minimum) * 1e-6
        let nearest = min(max(value, scale.minimum), scale.maximum)
        return abs(nearest - value) <= rounding ? nearest : nil
    }

    /// A number and the position after it; nil when none starts here.
    func number(from start: Int) -> (value: Double, end: Int)? {
        var position = start
        var text = ""
        if position < scalars.count, "+-\u{2212}".unicodeScalars.contains(scalars[position]) {
            text = scalars[position] == "+" ? "" : "-"
            position += 1
        }
        let whole = skip(from: position, Self.isDigit)
        guard whole > position else { return nil }
        var end = whole
        if whole < scalars.count, scalars[whole] == "." {
            let fraction = skip(from: whole + 1, Self.isDigit)
            if fraction > whole + 1 { end = fraction }
        }
        end = endOfNegativeExponent(at: end) ?? end
        text.unicodeScalars.append(contentsOf: scalars[position..<end])
        guard let value = Double(text), value.isFinite else { return nil }
        return (value, end)
    }

    /// The position after `e-05`: how Python, in which models' answers to learn from were written, prints
    /// numbers below 0.0001. Other exponents are no score's.
    private func endOfNegativeExponent(at start: Int) -> Int? {
        guard start + 2 < scalars.count, scalars[start] == "e" || scalars[start] == "E",
            scalars[start + 1] == "-"
        else { return nil }
        let end = skip(from: start + 2, Self.isDigit)
        return end > start + 2 ? end : nil
    }

    /// The position after a lower-case ASCII word that stands here in any case; nil when it does not.
    func end(of word: String, from start: Int) -> Int? {
        var position = start
        for letter in word.unicodeScalars {
            guard position < scalars.count, scalars[position].isASCII,
                scalars[position].properties.lowercaseMapping.unicodeScalars.first == letter
            else { return nil }
            position += 1
        }
        return position
    }

    /// The first position that is not skipped.
    func skip(from start: Int, _ isSkipped: (Unicode.Scalar) -> Bool) -> Int {
        var position = start
        while position < scalars.count, isSkipped(scalars[position]) { position += 1 }
        return position
    }

    /// White space, or a mark of Markdown.
    static func isSpaceOrEmphasis(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || scalar == "*" || scalar == "_" || scalar == "`"
    }

    /// An ASCII digit.
    static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar >= "0" && scalar <= "9" }

    /// Whether what follows a number leaves it what it is.
    private func endsCleanly(at end: Int, scale: Scale, mayBeFollowed: Bool) -> Bool {
        let position = skip(from: end) { $0 != "\n" && Self.isSpaceOrEmphasis($0) }
        guard position < scalars.count else { return true }
        // "8/10", "8 out of 10", "8 (out of 10)".
        let inner =
            scalars[position] == "(" ? skip(from: position + 1, Self.isSpaceOrEmphasis) : position
        if inner < scalars.count, scalars[inner] == "/" {
            return denominator(from: inner + 1) == scale.maximum
        }
        if inner > end, let out = self.end(of: "out", from: inner),
            let of = self.end(of: "of", from: skip(from: out, Self.isSpaceOrEmphasis))
        {
            return denominator(from: of) == scale.maximum
        }
        if position > end, isRange(from: position, mayBeFollowed: mayBeFollowed) { return false }
        if position == end, scalars[end].properties.isAlphabetic || scalars[end] == "%" {
            return false
        }
        let isJoint = "-\u{2013}\u{2014}~\u{FF5E},.".unicodeScalars.contains(scalars[position])
        guard isJoint else { return true }
        let after = skip(from: position + 1) { $0 == " " }
        guard after < scalars.count, Self.isDigit(scalars[after]) else { return true }
        // "3.7. 2 objects are missing" and "4, 2 objects are" go on; "3-4", "3,7" and "3.7.1" are no numbers, and
        // "3, 4" are two.
        guard after > position + 1, scalars[position] == "." || scalars[position] == "," else {
            return false
        }
        guard scalars[position] == ",", !mayBeFollowed, let next = number(from: after) else {
            return true
        }
        let last = skip(from: next.end) { $0 == " " }
        return last < scalars.count && scalars[last].properties.isAlphabetic
    }

    /// Whether a second number follows that leaves open which one is meant: `or 4`, `to 5`, and `and 4` where one
    /// number is asked for.
    private func isRange(from start: Int, mayBeFollowed: Bool) -> Bool {
        (mayBeFollowed ? ["or", "to"] : ["or", "to", "and"]).contains { word in
            guard let end = end(of: word, from: start) else { return false }
            let next = skip(from: end, Self.isSpaceOrEmphasis)
            return next > end && number(from: next) != nil
        }
    }

    private func denominator(from start: Int) -> Double? {
        number(from: skip(from: start, Self.isSpaceOrEmphasis))?.value
    }

    private func isWordPart(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || Self.isDigit(scalar)
    }
}
