/// Reads the JSON header of a safetensors file: `{"name": {"dtype": "BF16", "shape": [2, 3],
/// "data_offsets": [0, 12]}, …, "__metadata__": {"format": "pt"}}`
/// (huggingface/safetensors, README "Format").
///
/// Its own scanner instead of JSONDecoder because that one silently keeps one of two tensors with
/// the same name. Only this grammar is accepted, and all arithmetic is checked for overflow.
struct SafetensorsHeader {
    /// Offsets of `range` count from the end of the header.
    struct Entry {
        let name: String
        let type: String
        let shape: [Int]
        let range: Range<Int>
    }

    /// Longer ones are refused by the reference implementation too.
    static let maximumByteCount = 100_000_000

    private let bytes: UnsafeRawBufferPointer
    private let file: String
    private var position = 0

    /// The entries of a header in file order; `file` is the name put into errors.
    static func entries(
        of bytes: UnsafeRawBufferPointer,
        file: String
    ) throws(CheckpointError) -> [Entry] {
        var header = SafetensorsHeader(bytes: bytes, file: file)
        return try header.document()
    }

    private init(bytes: UnsafeRawBufferPointer, file: String) {
        self.bytes = bytes
        self.file = file
    }

    private mutating func document() throws(CheckpointError) -> [Entry] {
        var entries: [Entry] = []
        var names: Set<String> = []
        try members { header, name throws(CheckpointError) in
            if name == "__metadata__" {
                try header.members { header, _ throws(CheckpointError) in
                    _ = try header.string()
                }
                return
            }
            guard names.insert(name).inserted else {
                throw header.failure("tensor '\(shown(name))' is named twice")
            }
            entries.append(try header.entry(name: name))
        }
        // Writers pad the header with spaces to a multiple of 8 bytes.
        skipSpace()
        if position < bytes.count { throw failure("expected only spaces after the header") }
        return entries
    }

    private mutating func entry(name: String) throws(CheckpointError) -> Entry {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try members { header, key throws(CheckpointError) in
            switch key {
            case "dtype" where type == nil: type = try header.string()
            case "shape" where shape == nil: shape = try header.integers()
            case "data_offsets" where offsets == nil: offsets = try header.integers()
            default:
                throw header.failure(
                    "tensor '\(shown(name))': expected 'dtype', 'shape' and 'data_offsets' once "
                        + "each, got '\(shown(key))'"
                )
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2, offsets[0] <= offsets[1] else {
            throw failure(
                "tensor '\(shown(name))': expected 'dtype', 'shape' and two ascending "
                    + "'data_offsets'"
            )
        }
        return Entry(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    /// Reads an object, calling `body` at the value of each member.
    private mutating func members(
        _ body: (inout SafetensorsHeader, String) throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        try expect("{")
        skipSpace()
        if take("}") { return }
        while true {
            skipSpace()
            let key = try string()
            skipSpace()
            try expect(":")
            skipSpace()
            try body(&self, key)
            skipSpace()
            if take("}") { return }
            try expect(",")
        }
    }

    private mutating func integers() throws(CheckpointError) -> [Int] {
        try expect("[")
        var values: [Int] = []
        skipSpace()
        if take("]") { return values }
        while true {
            skipSpace()
            values.append(try integer())
            skipSpace()
            if take("]") { return values }
            try expect(",")
        }
    }

    private mutating func integer() throws(CheckpointError) -> Int {
        let start = position
        var value = 0
        while let byte = peek(), (0x30...0x39).contains(byte) {
            let (tens, overflowedTens) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowed) = tens.addingReportingOverflow(Int(byte - 0x30))
            if overflowedTens || overflowed { throw failure("a number over 2^63 - 1") }
            value = sum
            position += 1
        }
        if position == start { throw failure("expected a whole number that is not negative") }
        return value
    }

    private mutating func string() throws(CheckpointError) -> String {
        try expect("\"")
        let start = position
        var hasEscape = false
        while let byte = peek(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\") {
                hasEscape = true
                position += 1
            }
            position += 1
        }
        guard position < bytes.count else { throw failure("ends inside a string") }
        let inside = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        position += 1
        // No tensor of a supported model needs one, and metadata is not looked at.
        if hasEscape { return "\u{FFFD}\(start)" }
        guard let text = String(validating: inside, as: UTF8.self) else {
            throw failure("expected UTF-8 in a string")
        }
        return text
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(CheckpointError) {
        if take(character) { return }
        let got = peek().map { "byte \($0)" } ?? "the end"
        throw failure("expected '\(character)', got \(got)")
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            position += 1
        }
    }

    private func failure(_ reason: String) -> CheckpointError {
        .malformedFile(file: file, reason: "header, byte \(position): \(reason)")
    }
}
