/// Leaves of a PNG only what makes its pixels.
enum PNGChunks {
    /// The file with its chunks IHDR, PLTE and IDAT, each as it was, and an end.
    ///
    /// Pillow's pixels depend on no other chunk once alpha is dropped, but pngtopnm's do: it takes the
    /// sBIT chunk for the number of levels. Compressed texts and colour profiles, a way to make a
    /// decoder work long for few bytes, go too. A chunk that is cut short is kept to its last byte:
    /// the decoder is the judge of damage. The end is always the same, so a file that lacks nothing
    /// but its end is whole, as it is for Pillow.
    static func pixelsOnly(_ bytes: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count + end.count)
        kept.append(contentsOf: bytes.prefix(8))
        var position = 8
        while position + 8 <= bytes.count {
            let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            let next = min(position + 12 + length, bytes.count)
            let name = bytes[position + 4..<position + 8]
            if name.elementsEqual("IEND".utf8) { break }
            if wanted.contains(where: { name.elementsEqual($0) }) {
                kept.append(contentsOf: bytes[position..<next])
            }
            position = next
        }
        kept.append(contentsOf: end)
        return kept
    }

    private static let wanted = ["IHDR", "PLTE", "IDAT"].map { Array($0.utf8) }
    /// An IEND chunk: no bytes, its name, its checksum.
    private static let end: [UInt8] =
        [0, 0, 0, 0] + Array("IEND".utf8) + [0xAE, 0x42, 0x60, 0x82]
}
