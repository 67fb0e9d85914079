/// Cuts text into the pieces that byte-pair merges never cross. The Qwen2 rule, as the expression
/// in its tokenizer.json says it, alternatives tried in this order at each position:
///
///     (?i:'s|'t|'re|'ve|'m|'ll|'d)
///     [^\r\n\p{L}\p{N}]?\p{L}+
///     \p{N}
///      ?[^\s\p{L}\p{N}]+[\r\n]*
///     \s*[\r\n]+
///     \s+(?!\S)
///     \s+
///
/// Written by hand: as a Swift `Regex` it runs at 0.85 MB/s, as a scanner at tens of MB/s. Every
/// character is looked at a bounded number of times, so no input is quadratic. Cutting depends on
/// the Unicode version of the standard library only for characters newer than the model.
struct PreTokenizer {
    /// Valid UTF-8 (it comes from a `String`).
    private let text: UnsafeBufferPointer<UInt8>
    private var position: Int

    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        position = 0
    }

    /// The next piece as a range of byte offsets; nil at the end of the text.
    mutating func next() -> Range<Int>? {
        guard let first = character(at: position) else { return nil }
        let start = position
        position = end(ofPieceAt: start, first: first)
        return start..<position
    }

    private struct Character {
        let scalar: Unicode.Scalar
        let kind: CharacterClass
        /// Offset of the byte after it.
        let end: Int
    }

    private func end(ofPieceAt start: Int, first: Character) -> Int {
        if first.scalar == "'", let end = endOfContraction(after: first.end) { return end }
        switch first.kind {
        case .letter:
            return endOfRun(from: first.end) { $0 == .letter }
        case .number:
            return first.end
        case .lineBreak:
            return endOfWhitespace(from: start, first: first)
        case .space, .other:
            break
        }
        if let second = character(at: first.end) {
            if second.kind == .letter { return endOfRun(from: second.end) { $0 == .letter } }
            if first.scalar == " ", second.kind == .other { return endOfOther(from: second.end) }
        }
        return first.kind == .other
            ? endOfOther(from: first.end) : endOfWhitespace(from: start, first: first)
    }

    /// `[^\s\p{L}\p{N}]*[\r\n]*`
    private func endOfOther(from start: Int) -> Int {
        endOfRun(from: endOfRun(from: start) { $0 == .other }) { $0 == .lineBreak }
    }

    /// `\s*[\r\n]+|\s+(?!\S)|\s+`: up to the last line break of the run of white space if it has
    /// one; else all but its last character, which may belong to the next word; else all of it.
    private func endOfWhitespace(from start: Int, first: Character) -> Int {
        var end = start
        var lastStart = start
        var endOfLastBreak: Int?
        while let next = character(at: end), next.kind == .space || next.kind == .lineBreak {
            if next.kind == .lineBreak { endOfLastBreak = next.end }
            lastStart = end
            end = next.end
        }
        if let endOfLastBreak { return endOfLastBreak }
        return end == text.count || lastStart == start ? end : lastStart
    }

    /// `(?i:s|t|re|ve|m|ll|d)` after an apostrophe. U+017F 'ſ' is 's' to a case-insensitive match.
    private func endOfContraction(after apostrophe: Int) -> Int? {
        guard let first = character(at: apostrophe) else { return nil }
        switch first.scalar {
        case "s", "S", "ſ", "t", "T", "m", "M", "d", "D":
            return first.end
        case "r", "R", "v", "V":
            guard let second = character(at: first.end) else { return nil }
            return second.scalar == "e" || second.scalar == "E" ? second.end : nil
        case "l", "L":
            guard let second = character(at: first.end) else { return nil }
            return second.scalar == "l" || second.scalar == "L" ? second.end : nil
        default:
            return nil
        }
    }

    private func endOfRun(from start: Int, while isMember: (CharacterClass) -> Bool) -> Int {
        var end = start
        while let next = character(at: end), isMember(next.kind) { end = next.end }
        return end
    }

    private func character(at offset: Int) -> Character? {
        guard offset < text.count else { return nil }
        let lead = text[offset]
        if lead < 0x80 {
            let scalar = Unicode.Scalar(lead)
            return Character(scalar: scalar, kind: CharacterClass(scalar), end: offset + 1)
        }
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for next in offset + 1..<min(offset + length, text.count) {
            value = value << 6 | UInt32(text[next] & 0x3F)
        }
        let scalar = Unicode.Scalar(value) ?? "\u{FFFD}"
        return Character(
            scalar: scalar,
            kind: CharacterClass(scalar),
            end: min(offset + length, text.count)
        )
    }
}
