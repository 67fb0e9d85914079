/// Strict JSON (RFC 8259) over bytes: no comments, no trailing commas, nesting at most 64 deep,
/// lone surrogates and invalid UTF-8 refused. Never reads outside `bytes`, whatever they hold.
struct JSONParser {
    /// tokenizer.json nests 6 deep; the limit keeps recursion off the end of the stack.
    static let maximumDepth = 64

    private let bytes: [UInt8]
    private let file: String
    private var position = 0

    /// Reads one whole document; `file` is the name put into errors.
    static func parse(_ bytes: [UInt8], file: String) throws(TokenizationError) -> JSONValue {
        var parser = JSONParser(bytes: bytes, file: file)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        if parser.position < bytes.count { throw parser.failure("text after the document's end") }
        return value
    }

    private init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    private mutating func value(depth: Int) throws(TokenizationError) -> JSONValue {
        if depth > Self.maximumDepth {
            throw failure("nested more than \(Self.maximumDepth) deep")
        }
        skipSpace()
        switch peek() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .boolean(true))
        case UInt8(ascii: "f"): return try literal("false", .boolean(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case .some(0x30...0x39), UInt8(ascii: "-"): return try number()
        case nil: throw failure("the file ends where a value should be (truncated?)")
        default: throw failure("expected a value")
        }
    }

    private mutating func object(depth: Int) throws(TokenizationError) -> JSONValue {
        position += 1
        var members: [JSONMember] = []
        skipSpace()
        if take("}") { return .object(members) }
        while true {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw failure("expected ':' after a key") }
            members.append(JSONMember(key: key, value: try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("expected ',' or '}' in an object") }
        }
    }

    private mutating func array(depth: Int) throws(TokenizationError) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return .array(values) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(values) }
            guard take(",") else { throw failure("expected ',' or ']' in an array") }
        }
    }

    /// Reads a string at its opening quote. Most strings have no escape and are decoded in one go.
    private mutating func string() throws(TokenizationError) -> String {
        position += 1
        var start = position
        var text = ""
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "\""):
                let last = try segment(start..<position)
                position += 1
                return text.isEmpty ? last : text + last
            case UInt8(ascii: "\\"):
                text += try segment(start..<position)
                text.unicodeScalars.append(try escape())
                start = position
            case 0..<0x20:
                throw failure("a control character inside a string")
            default:
                position += 1
            }
        }
        throw failure("the file ends inside a string (truncated?)")
    }

    private func segment(_ range: Range<Int>) throws(TokenizationError) -> String {
        if range.isEmpty { return "" }
        guard let text = String(validating: bytes[range], as: UTF8.self) else {
            throw failure("a string that is not UTF-8")
        }
        return text
    }

    /// Reads one escape at its backslash, joining surrogate pairs.
    private mutating func escape() throws(TokenizationError) -> Unicode.Scalar {
        position += 1
        guard let kind = peek() else { throw failure("the file ends inside a string") }
        position += 1
        switch kind {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: throw failure("an unknown escape in a string")
        }
        var code = try hexadecimal()
        if (0xD800..<0xDC00).contains(code) {
            guard take("\\"), take("u") else { throw failure("half of a surrogate pair") }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal() throws(TokenizationError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(), let digit = Character(Unicode.Scalar(byte)).hexDigitValue
            else {
                throw failure("expected four hexadecimal digits after \\u")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    private mutating func number() throws(TokenizationError) -> JSONValue {
        let start = position
        _ = take("-")
        let integerDigits = digits()
        let leadsWithZero = integerDigits > 1 && bytes[position - integerDigits] == 0x30
        if integerDigits == 0 || leadsWithZero { throw failure("a malformed number") }
        var isInteger = true
        if take(".") {
            isInteger = false
            if digits() == 0 { throw failure("a malformed number") }
        }
        if take("e") || take("E") {
            isInteger = false
            if !take("+") { _ = take("-") }
            if digits() == 0 { throw failure("a malformed number") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else {
            throw failure("a number out of range")
        }
        return .number(value)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = peek(), (0x30...0x39).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func literal(
        _ word: StaticString,
        _ value: JSONValue
    ) throws(TokenizationError) -> JSONValue {
        for offset in 0..<word.utf8CodeUnitCount {
            guard peek() == word.utf8Start[offset] else { throw failure("expected \(word)") }
            position += 1
        }
        return value
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private func failure(_ reason: String) -> TokenizationError {
        .malformedJSON(file: file, offset: position, reason: reason)
    }
}
