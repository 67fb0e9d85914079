/// The string literals of a Python file, cut up as far as finding prompt templates needs: escapes are
/// resolved, the fields of f-strings are kept apart, and neighbours stay together.
///
/// Not a parser of Python: what is no string is looked at only to see what joins strings. A file that
/// does not compile gives what can be read of it, since one of the scripts this is made for does not.
package struct PythonLiterals: Sendable {
    /// A part of a string.
    package enum Piece: Sendable, Equatable {
        /// Characters as Python would have them.
        case text(String)
        /// The expression of an f-string's field, without conversion and format.
        case field(String)
    }

    /// One literal.
    package struct Literal: Sendable, Equatable {
        /// What it is made of.
        package let pieces: [Piece]
        /// Where it starts, from 1.
        package let line: Int
    }

    /// Literals that Python joins, by standing beside one another or by `+`, in the file's order.
    package let runs: [[Literal]]

    /// Reads a file; linear in its length but for lines with several quotation marks.
    package init(_ source: [UInt8]) {
        var reader = PythonReader(source)
        runs = reader.runs()
    }
}

/// Walks over the bytes of a Python file.
private struct PythonReader {
    private let bytes: [UInt8]
    private var position = 0
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func runs() -> [[PythonLiterals.Literal]] {
        var runs: [[PythonLiterals.Literal]] = []
        var run: [PythonLiterals.Literal] = []
        func end() {
            if !run.isEmpty { runs.append(run) }
            run = []
        }
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "#"): skipLine()
            case UInt8(ascii: "\n"):
                line += 1
                position += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\\"),
                UInt8(ascii: "+"), UInt8(ascii: "("), UInt8(ascii: ")"):
                position += 1
            default:
                if let opening = opening() {
                    let whole = wholeLine(opening)
                    if let literal = literal(opening) { run.append(literal) }
                    // A literal to the line's last quotation mark, by itself: the text of a file that
                    // forgets to escape one.
                    if let whole { runs.append([whole]) }
                } else {
                    end()
                    skipWord()
                }
            }
        }
        end()
        return runs
    }

    // MARK: - Literals

    private struct Opening {
        var isRaw = false
        var hasFields = false
        var quote: [UInt8]
        var start: Int
    }

    /// The prefix and quotation marks that start a string here. Bytes literals are none.
    private func opening() -> Opening? {
        var cursor = position
        var isRaw = false
        var hasFields = false
        while cursor < bytes.count, cursor - position < 2, isLetter(bytes[cursor]) {
            switch bytes[cursor] | 0x20 {
            case UInt8(ascii: "r"): isRaw = true
            case UInt8(ascii: "f"): hasFields = true
            case UInt8(ascii: "u"): break
            default: return nil
            }
            cursor += 1
        }
        guard cursor < bytes.count,
            bytes[cursor] == UInt8(ascii: "'") || bytes[cursor] == UInt8(ascii: "\"")
        else { return nil }
        let mark = bytes[cursor]
        let isTriple = bytes[cursor...].starts(with: [mark, mark, mark])
        let quote = Array(repeating: mark, count: isTriple ? 3 : 1)
        return Opening(
            isRaw: isRaw,
            hasFields: hasFields,
            quote: quote,
            start: cursor + quote.count
        )
    }

    /// Reads to the closing marks and moves behind them; nil, and to the line's end, when there are
    /// none.
    private mutating func literal(_ opening: Opening) -> PythonLiterals.Literal? {
        let firstLine = line
        var cursor = opening.start
        while cursor < bytes.count {
            if bytes[cursor] == UInt8(ascii: "\\") {
                if cursor + 1 < bytes.count, bytes[cursor + 1] == UInt8(ascii: "\n") { line += 1 }
                cursor += 2
                continue
            }
            if bytes[cursor...].starts(with: opening.quote) {
                position = cursor + opening.quote.count
                return PythonLiterals.Literal(
                    pieces: pieces(opening.start..<cursor, opening),
                    line: firstLine
                )
            }
            if bytes[cursor] == UInt8(ascii: "\n") {
                if opening.quote.count == 1 { break }
                line += 1
            }
            cursor += 1
        }
        position = min(cursor, bytes.count)
        return nil
    }

    private func wholeLine(_ opening: Opening) -> PythonLiterals.Literal? {
        guard opening.quote.count == 1, let mark = opening.quote.first else { return nil }
        let end = bytes[opening.start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        guard let last = bytes[opening.start..<end].lastIndex(of: mark),
            bytes[opening.start..<last].contains(mark)
        else { return nil }
        return PythonLiterals.Literal(pieces: pieces(opening.start..<last, opening), line: line)
    }

    // MARK: - Pieces

    private func pieces(_ range: Range<Int>, _ opening: Opening) -> [PythonLiterals.Piece] {
        var pieces: [PythonLiterals.Piece] = []
        var text: [UInt8] = []
        var cursor = range.lowerBound
        func flush() {
            if !text.isEmpty { pieces.append(.text(String(decoding: text, as: UTF8.self))) }
            text = []
        }
        while cursor < range.upperBound {
            let byte = bytes[cursor]
            let next = cursor + 1 < range.upperBound ? bytes[cursor + 1] : 0
            if byte == UInt8(ascii: "\\"), !opening.isRaw {
                let (decoded, length) = escape(cursor, range.upperBound)
                text += decoded
                cursor += length
            } else if opening.hasFields, byte == UInt8(ascii: "{"), next == byte {
                text.append(byte)
                cursor += 2
            } else if opening.hasFields, byte == UInt8(ascii: "}"), next == byte {
                text.append(byte)
                cursor += 2
            } else if opening.hasFields, byte == UInt8(ascii: "{") {
                flush()
                let end = fieldEnd(cursor + 1, range.upperBound)
                pieces.append(.field(expression(cursor + 1..<end)))
                cursor = min(end + 1, range.upperBound)
            } else {
                text.append(byte)
                cursor += 1
            }
        }
        flush()
        return pieces
    }

    /// Where the brace that closes a field stands, past nested ones and strings.
    private func fieldEnd(_ start: Int, _ limit: Int) -> Int {
        var depth = 0
        var quote: UInt8 = 0
        for cursor in start..<max(start, limit) {
            let byte = bytes[cursor]
            if quote != 0 {
                if byte == quote { quote = 0 }
                continue
            }
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""): quote = byte
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "("): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: "}"):
                if depth <= 0 { return cursor }
                depth -= 1
            default: break
            }
        }
        return limit
    }

    private func expression(_ range: Range<Int>) -> String {
        var depth = 0
        var end = range.upperBound
        for cursor in range {
            switch bytes[cursor] {
            case UInt8(ascii: "["), UInt8(ascii: "("): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: ":") where depth == 0, UInt8(ascii: "!") where depth == 0:
                end = min(end, cursor)
            default: break
            }
        }
        let text = String(decoding: bytes[range.lowerBound..<end], as: UTF8.self)
        return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }

    /// What an escape stands for, and how many bytes it takes.
    private func escape(_ start: Int, _ limit: Int) -> (bytes: [UInt8], length: Int) {
        guard start + 1 < limit else { return ([UInt8(ascii: "\\")], 1) }
        let simple: [UInt8: UInt8] = [
            UInt8(ascii: "n"): 0x0A, UInt8(ascii: "t"): 0x09, UInt8(ascii: "r"): 0x0D,
            UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
            UInt8(ascii: "v"): 0x0B, UInt8(ascii: "\\"): UInt8(ascii: "\\"),
            UInt8(ascii: "'"): UInt8(ascii: "'"), UInt8(ascii: "\""): UInt8(ascii: "\""),
        ]
        let letter = bytes[start + 1]
        if let byte = simple[letter] { return ([byte], 2) }
        if letter == UInt8(ascii: "\n") { return ([], 2) }
        let lengths: [UInt8: Int] = [
            UInt8(ascii: "x"): 2, UInt8(ascii: "u"): 4, UInt8(ascii: "U"): 8,
        ]
        if let length = lengths[letter], start + 2 + length <= limit {
            let digits = String(decoding: bytes[start + 2..<start + 2 + length], as: UTF8.self)
            if let value = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(value) {
                return (Array(String(Character(scalar)).utf8), 2 + length)
            }
        }
        if (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(letter) {
            var end = start + 1
            while end < min(limit, start + 4), (0x30...0x37).contains(bytes[end]) { end += 1 }
            let digits = String(decoding: bytes[start + 1..<end], as: UTF8.self)
            if let value = UInt32(digits, radix: 8), let scalar = Unicode.Scalar(value) {
                return (Array(String(Character(scalar)).utf8), end - start)
            }
        }
        // Python keeps the backslash of an escape it does not know.
        return ([UInt8(ascii: "\\"), letter], 2)
    }

    // MARK: - The rest

    private mutating func skipLine() {
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
    }

    /// Moves over a name or number whole, so that the last letter of `buf'…'` is no prefix.
    private mutating func skipWord() {
        let start = position
        while position < bytes.count, isWord(bytes[position]) { position += 1 }
        if position == start { position += 1 }
    }

    private func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    private func isWord(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
    }
}
