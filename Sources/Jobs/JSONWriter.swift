/// Writes JSON as UTF-8 bytes, in one pass, with values that are JSON already passed through. The
/// rows of a checkpoint carry results and evidence as finished JSON, which `JSONEncoder` could only
/// embed by parsing it again.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    /// True where the next key or element follows another one.
    private var needsComma = false
    /// Whether a field without a value is left out instead of being null.
    private let omitsNulls: Bool

    /// - Parameter omitsNulls: For readers to whom a missing field is the same: `rewardd.checkpoint` reads
    ///   every byte it is sent.
    init(omitsNulls: Bool = false) {
        self.omitsNulls = omitsNulls
        bytes.reserveCapacity(4096)
    }

    mutating func object(_ body: (inout JSONWriter) -> Void) {
        nested("{", "}", body)
    }

    mutating func array<Element>(
        _ elements: some Sequence<Element>,
        _ write: (inout JSONWriter, Element) -> Void
    ) {
        nested("[", "]") { writer in
            for element in elements {
                writer.separate()
                write(&writer, element)
                writer.needsComma = true
            }
        }
    }

    /// One key with its value.
    mutating func field(_ key: StaticString, _ write: (inout JSONWriter) -> Void) {
        separate()
        // A name of ours, with nothing to escape.
        append("\"")
        key.withUTF8Buffer { bytes.append(contentsOf: $0) }
        append("\":")
        write(&self)
        needsComma = true
    }

    mutating func field(_ key: StaticString, _ value: String?) {
        field(key, value) { $0.string($1) }
    }

    mutating func field(_ key: StaticString, _ value: Int?) {
        field(key, value) { $0.append(String($1)) }
    }

    /// A number; null for nil and for what JSON has no word for (infinity, not-a-number).
    mutating func field(_ key: StaticString, _ value: Double?) {
        field(key, value.flatMap { $0.isFinite ? $0 : nil }) { $0.append($1.description) }
    }

    /// Bytes as hexadecimal digits, without a prefix.
    mutating func field(_ key: StaticString, hex value: [UInt8]?) {
        field(key, value) { $0.hex($1) }
    }

    /// Text that is JSON already; null for nil.
    mutating func field(_ key: StaticString, json value: String?) {
        field(key, value) { $0.append($1) }
    }

    /// A key with its value where there is one; see `omitsNulls`.
    mutating func field<Value>(
        _ key: StaticString,
        _ value: Value?,
        _ write: (inout JSONWriter, Value) -> Void
    ) {
        guard value != nil || !omitsNulls else { return }
        field(key) { writer in
            if let value { write(&writer, value) } else { writer.null() }
        }
    }

    /// A number for each name, in the order of the names.
    mutating func field(_ key: StaticString, _ values: [String: Double]) {
        field(key) { writer in
            writer.object { writer in
                for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                    writer.separate()
                    writer.string(name)
                    writer.append(":")
                    writer.number(value)
                    writer.needsComma = true
                }
            }
        }
    }

    mutating func hex(_ value: [UInt8]) {
        func digit(_ value: UInt8) -> UInt8 {
            value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
        }
        append("\"")
        for byte in value {
            bytes.append(digit(byte >> 4))
            bytes.append(digit(byte & 15))
        }
        append("\"")
    }

    mutating func null() {
        append("null")
    }

    // MARK: - Parts

    private mutating func number(_ value: Double?) {
        if let value, value.isFinite { append(value.description) } else { append("null") }
    }

    private mutating func nested(
        _ open: String,
        _ close: String,
        _ body: (inout JSONWriter) -> Void
    ) {
        append(open)
        needsComma = false
        body(&self)
        append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { append(",") }
        needsComma = false
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// A quoted string. U+0000, which PostgreSQL's text cannot hold, becomes U+FFFD.
    private mutating func string(_ text: String) {
        append("\"")
        var text = text
        text.withUTF8 { characters in
            // What needs no escape is copied in runs.
            var start = 0
            for (place, byte) in characters.enumerated() {
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else {
                    continue
                }
                bytes.append(contentsOf: characters[start..<place])
                start = place + 1
                escape(byte)
            }
            bytes.append(contentsOf: characters[start...])
        }
        append("\"")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0: append("\u{fffd}")
        default:
            append(byte < 0x10 ? "\\u000" : "\\u00")
            append(String(byte, radix: 16))
        }
    }
}
