/// Turns token ids into text one by one. A character whose UTF-8 bytes are spread over several
/// tokens is held back until its last byte arrives; joined, the pieces equal
/// `Tokenizer.decode` of all the ids.
package struct IncrementalDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    /// At most three bytes: the beginning of one character.
    private var pending: [UInt8] = []

    /// - skippingSpecialTokens: as for `Tokenizer.decode`.
    package init(tokenizer: Tokenizer, skippingSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        skipsSpecialTokens = skippingSpecialTokens
    }

    /// The text that became certain with this id; often empty inside a character.
    package mutating func append(_ id: Int32) -> String {
        if skipsSpecialTokens && tokenizer.vocabulary.isSpecial(id) { return "" }
        pending += tokenizer.vocabulary.bytes(of: id)
        let complete = pending.count - Self.lengthOfOpenCharacter(at: pending)
        let text = String(decoding: pending[..<complete], as: UTF8.self)
        pending.removeSubrange(..<complete)
        return text
    }

    /// What is left at the end: U+FFFD for a character that never became whole, else nothing.
    package mutating func finish() -> String {
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// How many bytes at the end are a proper beginning of one UTF-8 character (Unicode 3.9,
    /// table 3-7): 0 when the bytes end with a whole character or an ill-formed one.
    static func lengthOfOpenCharacter(at bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let lead = bytes[bytes.count - length]
            if lead & 0xC0 == 0x80 { continue }
            let needed = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1
            if needed <= length { return 0 }
            if length == 1 { return 1 }
            let second = bytes[bytes.count - length + 1]
            let isOpen =
                switch lead {
                case 0xE0: second >= 0xA0
                case 0xED: second < 0xA0
                case 0xF0: second >= 0x90
                case 0xF4: second < 0x90
                default: true
                }
            return isOpen ? length : 0
        }
        return 0
    }
}
