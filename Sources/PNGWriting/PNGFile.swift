/// The frame of a PNG file (W3C Portable Network Graphics, third edition) round rows that are filtered and
/// deflated already: signature, chunks and checks. How rows are filtered and compressed is the business of
/// who writes them.
package enum PNGFile {
    /// The bytes of a file of 8-bit RGB.
    ///
    /// - Parameters:
    ///   - rows: every row behind the number of its filter, height × (1 + 3·width) bytes.
    ///   - deflated: a deflate stream (RFC 1951) of `rows`.
    package static func bytes(
        width: Int,
        height: Int,
        rows: [UInt8],
        deflated: [UInt8]
    ) -> [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let size = bigEndian(UInt32(width)) + bigEndian(UInt32(height))
        // Bit depth 8, colour type 2 (RGB), deflate, adaptive filters, not interlaced.
        append("IHDR", size + [8, 2, 0, 0, 0], to: &file)
        // A zlib stream (RFC 1950).
        append("IDAT", [0x78, 0x01] + deflated + bigEndian(adler(rows)), to: &file)
        append("IEND", [], to: &file)
        return file
    }

    private static func append(_ type: String, _ content: [UInt8], to file: inout [UInt8]) {
        file += bigEndian(UInt32(content.count))
        let body = Array(type.utf8) + content
        file += body
        file += bigEndian(cyclicCheck(body))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// CRC-32 as in annex D.
    private static func cyclicCheck(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value = cyclicTable[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8
        }
        return ~value
    }

    private static let cyclicTable: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ value >> 1
        }
    }

    /// Adler-32. 5552 bytes at a time cannot overflow 32 bits (RFC 1950, §9).
    private static func adler(_ bytes: [UInt8]) -> UInt32 {
        var low: UInt32 = 1
        var high: UInt32 = 0
        for start in stride(from: 0, to: bytes.count, by: 5552) {
            for byte in bytes[start..<min(start + 5552, bytes.count)] {
                low &+= UInt32(byte)
                high &+= low
            }
            low %= 65521
            high %= 65521
        }
        return high << 16 | low
    }
}
