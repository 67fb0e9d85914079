import PNGWriting

/// Writes pictures as PNG files (W3C Portable Network Graphics, third edition): 8-bit RGB, rows
/// filtered against the row above, deflate with the fixed codes and runs of one byte (RFC 1951).
/// Enough to make the flat areas of drawn scenes small; no search for longer repetitions.
package struct PNGEncoder: Sendable {
    /// An encoder; it has no settings.
    package init() {}

    /// The bytes of a PNG file of the picture.
    package func encode(_ picture: ScenePicture) -> [UInt8] {
        let rows = filtered(picture)
        var writer = DeflateWriter()
        writer.write(rows)
        return PNGFile.bytes(
            width: picture.side,
            height: picture.side,
            rows: rows,
            deflated: writer.finish()
        )
    }

    /// Each row behind the number of its filter: 2 is "up", the difference from the row above.
    private func filtered(_ picture: ScenePicture) -> [UInt8] {
        let width = picture.side * 3
        var rows: [UInt8] = []
        rows.reserveCapacity(picture.side * (width + 1))
        for row in 0..<picture.side {
            rows.append(row == 0 ? 1 : 2)
            for place in row * width..<(row + 1) * width {
                let above = row == 0 ? (place < 3 ? 0 : place - 3) : place - width
                let predicted = row == 0 && place < 3 ? 0 : picture.pixels[above]
                rows.append(picture.pixels[place] &- predicted)
            }
        }
        return rows
    }
}

/// One deflate block with the fixed codes (RFC 1951, §3.2.6): literals, and runs of one byte as
/// repetitions of distance 1.
private struct DeflateWriter {
    private var output: [UInt8] = []
    private var bits: UInt64 = 0
    private var bitCount = 0

    init() {
        // The last block, with fixed codes.
        put(0b011, 3)
    }

    mutating func write(_ bytes: [UInt8]) {
        output.reserveCapacity(bytes.count / 4)
        var place = 0
        while place < bytes.count {
            let byte = bytes[place]
            var end = place + 1
            while end < bytes.count, bytes[end] == byte { end += 1 }
            writeSymbol(Int(byte))
            var left = end - place - 1
            while left >= 3 {
                let length = min(left, 258)
                writeRun(length)
                left -= length
            }
            for _ in 0..<left { writeSymbol(Int(byte)) }
            place = end
        }
    }

    mutating func finish() -> [UInt8] {
        writeSymbol(256)
        while bitCount > 0 {
            output.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
        return output
    }

    /// A repetition of the byte before: its length's code and extra bits, then distance code 0.
    private mutating func writeRun(_ length: Int) {
        let code = Self.lengthCodes.lastIndex { $0.first <= length } ?? 0
        writeSymbol(257 + code)
        put(UInt64(length - Self.lengthCodes[code].first), Self.lengthCodes[code].extraBits)
        put(0, 5)
    }

    private mutating func writeSymbol(_ symbol: Int) {
        let (code, length) = Self.symbolCodes[symbol]
        put(code, length)
    }

    private mutating func put(_ value: UInt64, _ count: Int) {
        bits |= value << UInt64(bitCount)
        bitCount += count
        while bitCount >= 8 {
            output.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
            bitCount -= 8
        }
    }

    /// The fixed codes of literals and lengths, their bits reversed since codes begin with their
    /// most significant bit.
    private static let symbolCodes: [(UInt64, Int)] = (0..<288).map { symbol in
        switch symbol {
        case 0..<144: (reversed(0x30 + symbol, 8), 8)
        case 144..<256: (reversed(0x190 + symbol - 144, 9), 9)
        case 256..<280: (reversed(symbol - 256, 7), 7)
        default: (reversed(0xC0 + symbol - 280, 8), 8)
        }
    }

    private static func reversed(_ code: Int, _ length: Int) -> UInt64 {
        (0..<length).reduce(0) { $0 | UInt64(code >> $1 & 1) << UInt64(length - 1 - $1) }
    }

    /// The least length of each code from 257 on, and how many extra bits follow.
    private static let lengthCodes: [(first: Int, extraBits: Int)] = {
        var codes: [(first: Int, extraBits: Int)] = []
        var first = 3
        for index in 0..<28 {
            let extraBits = index < 8 ? 0 : index / 4 - 1
            codes.append((first, extraBits))
            first += 1 << extraBits
        }
        return codes + [(258, 0)]
    }()
}
