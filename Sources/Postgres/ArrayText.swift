/// The text form of one-dimensional arrays (manual, section 8.15.6): `{plain,"quoted
/// \"text\"",NULL}`.
enum ArrayText {
    static func encode(_ elements: [String]) -> String {
        encode(elements.map { Optional($0) })
    }

    /// Every element but NULL is quoted, so that no content can be taken for syntax.
    static func encode(_ elements: [String?]) -> String {
        var text = "{"
        for (index, element) in elements.enumerated() {
            if index > 0 { text += "," }
            guard let element else {
                text += "NULL"
                continue
            }
            text += "\""
            if element.utf8.contains(where: needsEscape) {
                for scalar in element.unicodeScalars {
                    if scalar == "\"" || scalar == "\\" { text += "\\" }
                    text.unicodeScalars.append(scalar)
                }
            } else {
                text += element
            }
            text += "\""
        }
        return text + "}"
    }

    /// An array of `bytea`, whose elements need no quotes: their one backslash is escaped here.
    static func encode(bytes elements: [[UInt8]]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(2 + elements.reduce(0) { $0 + 2 * $1.count + 6 })
        text.append(UInt8(ascii: "{"))
        for (index, element) in elements.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ",")) }
            text.append(contentsOf: #""\\x"#.utf8)
            for byte in element {
                text.append(HexText.digit(of: byte >> 4))
                text.append(HexText.digit(of: byte & 15))
            }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
        return text
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// The elements, or nil when the text is not a one-dimensional array.
    static func decode(_ text: UnsafeRawBufferPointer) -> [String?]? {
        var reader = Reader(text: text)
        return reader.readArray()
    }

    /// One element read: NULL is a value here, not the absence of one.
    private struct Element {
        let value: String?
    }

    /// Reads the text byte by byte; every byte of the syntax is ASCII.
    private struct Reader {
        let text: UnsafeRawBufferPointer
        var position = 0

        private var next: UInt8? { position < text.count ? text[position] : nil }

        mutating func readArray() -> [String?]? {
            guard take("{") else { return nil }
            var elements: [String?] = []
            if take("}") { return position == text.count ? elements : nil }
            while true {
                guard let element = readElement() else { return nil }
                elements.append(element.value)
                if take("}") { return position == text.count ? elements : nil }
                guard take(",") else { return nil }
            }
        }

        private mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard next == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        private mutating func readElement() -> Element? {
            if take("\"") {
                guard let value = readQuoted() else { return nil }
                return Element(value: value)
            }
            let start = position
            while let byte = next, byte != UInt8(ascii: ","), byte != UInt8(ascii: "}") {
                // A brace here would open an inner array; a backslash or quote is only written
                // inside quotes.
                if [UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "\\")].contains(byte) {
                    return nil
                }
                position += 1
            }
            guard position > start else { return nil }
            let value = String(decoding: text[start..<position], as: UTF8.self)
            return Element(value: value == "NULL" ? nil : value)
        }

        private mutating func readQuoted() -> String? {
            var bytes: [UInt8] = []
            while let byte = next {
                position += 1
                if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
                if byte == UInt8(ascii: "\\") {
                    guard let escaped = next else { return nil }
                    bytes.append(escaped)
                    position += 1
                } else {
                    bytes.append(byte)
                }
            }
            return nil
        }
    }
}
