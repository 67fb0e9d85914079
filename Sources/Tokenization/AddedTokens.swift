/// One token which the tokenizer was given beside its learned vocabulary, such as `<|im_end|>`.
struct AddedToken: Sendable {
    let id: Int32
    let content: String
    /// Dropped when decoding skips special tokens.
    let isSpecial: Bool
    /// Looked for after Unicode normalisation instead of before it.
    let isNormalized: Bool

    /// Whether it is a word of its own, `<think>` or `<tool_call>`, and neither opens nor ends a turn, a place of
    /// media or anything else that the template alone may.
    var isWord: Bool {
        let isMark = content.hasPrefix("<|") && content.hasSuffix("|>")
        return !isSpecial && !isMark && !Self.places.contains(content)
    }

    /// Places of media that are not written as marks; not every checkpoint calls them special.
    private static let places: Set<String> = ["<image>", "<video>", "<audio>"]
}

/// Finds added tokens in text: leftmost first, and the longest of those that start there
/// (`tokenizers`, `added_vocabulary.rs`).
struct AddedTokens: Sendable {
    /// One stretch of text: plain, or an added token by id.
    enum Segment: Equatable {
        case text(Range<Int>)
        case token(Int32)
    }

    let tokens: [AddedToken]
    private let idByContent: [[UInt8]: Int32]

    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        idByContent = Dictionary(
            tokens.map { (Array($0.content.utf8), $0.id) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func id(of content: String) -> Int32? {
        idByContent[Array(content.utf8)]
    }

    /// A matcher of those tokens that are looked for before (or after) normalisation.
    ///
    /// - Parameter wordsOnly: Leaves out those that the template alone may write.
    func matcher(normalized: Bool, wordsOnly: Bool = false) -> AddedTokenMatcher {
        AddedTokenMatcher(
            tokens.filter { $0.isNormalized == normalized && ($0.isWord || !wordsOnly) }
        )
    }
}

/// Cuts bytes at the tokens it was made with.
struct AddedTokenMatcher: Sendable {
    /// Candidates by first byte, the longest first.
    private let byFirstByte: [[(content: [UInt8], id: Int32)]]
    let isEmpty: Bool

    init(_ tokens: [AddedToken]) {
        var table: [[(content: [UInt8], id: Int32)]] = Array(repeating: [], count: 256)
        for token in tokens {
            let content = Array(token.content.utf8)
            if let first = content.first { table[Int(first)].append((content, token.id)) }
        }
        byFirstByte = table.map { list in list.sorted { $0.content.count > $1.content.count } }
        isEmpty = tokens.isEmpty
    }

    /// The text as plain stretches and tokens, in order, nothing left out and no stretch empty.
    func segments(of text: UnsafeBufferPointer<UInt8>) -> [AddedTokens.Segment] {
        var segments: [AddedTokens.Segment] = []
        var start = 0
        var position = 0
        while position < text.count {
            let candidates = byFirstByte[Int(text[position])]
            guard let match = candidates.first(where: { Self.matches($0.content, text, position) })
            else {
                position += 1
                continue
            }
            if start < position { segments.append(.text(start..<position)) }
            segments.append(.token(match.id))
            position += match.content.count
            start = position
        }
        if start < text.count { segments.append(.text(start..<text.count)) }
        return segments
    }

    private static func matches(
        _ content: [UInt8],
        _ text: UnsafeBufferPointer<UInt8>,
        _ position: Int
    ) -> Bool {
        if content.count > text.count - position { return false }
        for offset in 0..<content.count where content[offset] != text[position + offset] {
            return false
        }
        return true
    }
}
