/// Where a text stops being JSON, and what was expected there.
package struct JSONSyntaxError: Error, Equatable, Sendable {
    /// Bytes before the place.
    package let offset: Int
    /// "expected …, got …".
    package let message: String
}

/// Reads one JSON value (RFC 8259) from UTF-8 bytes.
///
/// Stricter than the grammar where PostgreSQL's `jsonb` is: U+0000 and unpaired surrogates are
/// refused here, where line and column can still be named, or replaced, where a model wrote them.
package struct JSONReader {
    /// What becomes of the escapes that PostgreSQL cannot store: U+0000 and halves of surrogate pairs.
    package enum Unstorable: Sendable {
        case refused
        /// By U+FFFD.
        case replaced
    }

    /// Nesting beyond this is refused, so that no input can exhaust the stack.
    package static let deepestNesting = 64

    private let bytes: [UInt8]
    private let unstorable: Unstorable
    private var position = 0

    private init(_ bytes: [UInt8], _ unstorable: Unstorable) {
        self.bytes = bytes
        self.unstorable = unstorable
    }

    /// The value that `bytes` spell, with nothing but white space around it.
    ///
    /// - Throws: `JSONSyntaxError` at the first byte that does not fit.
    package static func read(
        _ bytes: [UInt8],
        unstorable: Unstorable = .refused
    ) throws(JSONSyntaxError) -> JSONNode {
        var reader = JSONReader(bytes, unstorable)
        reader.skipSpace()
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.expected("the end") }
        return value
    }

    /// The value that `text` spells, or nil when it is not JSON.
    package static func read(_ text: String) -> JSONNode? {
        try? read(Array(text.utf8))
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONNode {
        guard depth < Self.deepestNesting else {
            throw JSONSyntaxError(
                offset: position,
                message: "expected at most \(Self.deepestNesting) levels of nesting, got more"
            )
        }
        guard let byte = peek() else { throw expected("a JSON value") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw expected("a JSON value")
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONNode {
        position += 1
        var members: [JSONNode.Member] = []
        skipSpace()
        if accept("}") { return .object(members) }
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw expected("a member name in quotes") }
            let name = try string()
            skipSpace()
            guard accept(":") else { throw expected("':'") }
            skipSpace()
            members.append(.init(name: name, value: try value(depth: depth + 1)))
            skipSpace()
            if accept("}") { return .object(members) }
            guard accept(",") else { throw expected("',' or '}'") }
            skipSpace()
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONNode {
        position += 1
        var elements: [JSONNode] = []
        skipSpace()
        if accept("]") { return .array(elements) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if accept("]") { return .array(elements) }
            guard accept(",") else { throw expected("',' or ']'") }
            skipSpace()
        }
    }

    private mutating func literal(
        _ word: StaticString,
        _ value: JSONNode
    ) throws(JSONSyntaxError) -> JSONNode {
        let spelled = String(describing: word)
        guard bytes[position...].starts(with: spelled.utf8) else {
            throw expected("a JSON value")
        }
        position += spelled.utf8.count
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONNode {
        let start = position
        _ = accept("-")
        let leadingZero = peek() == UInt8(ascii: "0")
        guard digits() else { throw expected("a digit") }
        if leadingZero, position - start > (bytes[start] == UInt8(ascii: "-") ? 2 : 1) {
            position = start
            throw expected("a number without leading zeros")
        }
        if accept(".") {
            guard digits() else { throw expected("a digit") }
        }
        if accept("e") || accept("E") {
            _ = accept("+") || accept("-")
            guard digits() else { throw expected("a digit") }
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() -> Bool {
        let start = position
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            position += 1
        }
        return position > start
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        let opening = position
        position += 1
        var run = position
        var text = ""
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                try append(run..<position, to: &text)
                position += 1
                return text
            case UInt8(ascii: "\\"):
                try append(run..<position, to: &text)
                position += 1
                text.unicodeScalars.append(try escape())
                run = position
            case 0..<0x20:
                throw JSONSyntaxError(
                    offset: position,
                    message: "expected control characters in strings to be escaped, got one as is"
                )
            default:
                position += 1
            }
        }
        throw JSONSyntaxError(
            offset: opening,
            message: "expected the string to end with '\"', got the end"
        )
    }

    private func append(_ range: Range<Int>, to text: inout String) throws(JSONSyntaxError) {
        guard !range.isEmpty else { return }
        guard let piece = String(validating: bytes[range], as: UTF8.self) else {
            throw JSONSyntaxError(
                offset: range.lowerBound,
                message: "expected UTF-8 text, got other bytes"
            )
        }
        text += piece
    }

    private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let start = position - 1
        guard let byte = peek() else { throw expected("an escaped character") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape(start)
        default:
            position -= 1
            throw expected("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u")
        }
    }

    private mutating func unicodeEscape(_ start: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try hexDigits()
        let end = position
        if first == 0, unstorable == .refused {
            throw JSONSyntaxError(
                offset: start,
                message: "expected no \\u0000, which PostgreSQL cannot store"
            )
        }
        if let scalar = Unicode.Scalar(first), first != 0 { return scalar }
        if first < 0xDC00, accept("\\"), accept("u") {
            let second = try hexDigits()
            if (0xDC00...0xDFFF).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                return scalar
            }
        }
        if unstorable == .replaced {
            // What follows the half stands for itself.
            position = end
            return "\u{FFFD}"
        }
        throw JSONSyntaxError(
            offset: start,
            message: "expected a pair of surrogate escapes, got half of one"
        )
    }

    private mutating func hexDigits() throws(JSONSyntaxError) -> UInt32 {
        let end = min(position + 4, bytes.count)
        let digits = bytes[position..<end]
        guard digits.count == 4,
            digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 128 }),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw expected("four hexadecimal digits") }
        position = end
        return value
    }

    // MARK: - Bytes

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
            position += 1
        }
    }

    private func expected(_ what: String) -> JSONSyntaxError {
        let got: String
        if let byte = peek() {
            let rest = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
            got =
                byte < 0x20 || byte == 0x7F
                ? "a control character" : rest.first.map { "'\($0)'" } ?? "a byte"
        } else {
            got = "the end"
        }
        return JSONSyntaxError(offset: position, message: "expected \(what), got \(got)")
    }
}
