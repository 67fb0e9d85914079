/// A deflate stream (RFC 1951) of blocks with codes of their own. Repetitions are looked for at distance 1
/// only: what is filtered well is runs of zero and noise, and longer searches take more than they give.
struct DeflateWriter {
    /// Bytes whose statistics share a code.
    private static let blockBytes = 1 << 17

    private var output: [UInt8] = []
    private var bits: UInt64 = 0
    private var bitCount = 0

    /// Writes all of the stream's bytes.
    mutating func write(_ bytes: [UInt8]) {
        output.reserveCapacity(bytes.count / 2)
        var start = 0
        repeat {
            let end = min(start + Self.blockBytes, bytes.count)
            writeBlock(bytes[start..<end], isLast: end == bytes.count)
            start = end
        } while start < bytes.count
    }

    /// The stream, filled up to a whole byte.
    consuming func finish() -> [UInt8] {
        if bitCount > 0 { output.append(UInt8(truncatingIfNeeded: bits)) }
        return output
    }

    private mutating func writeBlock(_ bytes: ArraySlice<UInt8>, isLast: Bool) {
        let symbols = Self.symbols(bytes)
        var counts = [Int](repeating: 0, count: 286)
        for symbol in symbols { counts[Int(symbol.code)] += 1 }
        let literals = HuffmanCode(counts: counts, longest: 15)
        writeHeader(literals, isLast: isLast)
        for symbol in symbols {
            put(UInt64(literals.codes[Int(symbol.code)]), literals.lengths[Int(symbol.code)])
            guard symbol.code > 256 else { continue }
            put(UInt64(symbol.extra), Self.extraBits(of: Int(symbol.code) - 257))
            // The only distance, whose code is one bit.
            put(0, 1)
        }
    }

    /// The lengths of the codes, themselves coded (§3.2.7): 286 of literals and lengths, one of distances.
    private mutating func writeHeader(_ literals: HuffmanCode, isLast: Bool) {
        let lengths = literals.lengths + [1]
        var counts = [Int](repeating: 0, count: 19)
        for length in lengths { counts[length] += 1 }
        let code = HuffmanCode(counts: counts, longest: 7)
        put(isLast ? 1 : 0, 1)
        put(2, 2)
        put(UInt64(286 - 257), 5)
        put(0, 5)
        put(UInt64(19 - 4), 4)
        for place in Self.lengthOrder { put(UInt64(code.lengths[place]), 3) }
        for length in lengths { put(UInt64(code.codes[length]), code.lengths[length]) }
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

    // MARK: - Symbols

    /// A literal, the end of a block (256), or a run with what its length adds to the code's least.
    private struct Symbol {
        let code: UInt16
        var extra: UInt16 = 0
    }

    private static func symbols(_ bytes: ArraySlice<UInt8>) -> [Symbol] {
        var symbols: [Symbol] = []
        symbols.reserveCapacity(bytes.count / 2)
        var place = bytes.startIndex
        while place < bytes.endIndex {
            let byte = bytes[place]
            var end = place + 1
            while end < bytes.endIndex, bytes[end] == byte { end += 1 }
            symbols.append(Symbol(code: UInt16(byte)))
            var left = end - place - 1
            while left >= 3 {
                let length = min(left, 258)
                let code = lengthCode[length]
                symbols.append(
                    Symbol(
                        code: UInt16(257 + code),
                        extra: UInt16(length - leastLengths[code])
                    )
                )
                left -= length
            }
            for _ in 0..<left { symbols.append(Symbol(code: UInt16(byte))) }
            place = end
        }
        symbols.append(Symbol(code: 256))
        return symbols
    }

    private static let lengthOrder = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ]

    private static func extraBits(of code: Int) -> Int {
        code < 8 || code == 28 ? 0 : code / 4 - 1
    }

    /// The least length of each code from 257 on (§3.2.5).
    private static let leastLengths: [Int] = {
        var lengths: [Int] = []
        var least = 3
        for code in 0..<28 {
            lengths.append(least)
            least += 1 << extraBits(of: code)
        }
        return lengths + [258]
    }()

    /// The code of each length; those below 3 have none.
    private static let lengthCode: [Int] = (0...258).map { length in
        leastLengths.lastIndex { $0 <= length } ?? 0
    }
}
