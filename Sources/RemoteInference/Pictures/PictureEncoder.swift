import VisionPreprocessing

/// Writes decoded pictures as PNG files (W3C Portable Network Graphics, third edition): 8-bit RGB, each
/// row with the filter whose differences are smallest, one zlib stream.
///
/// Why pictures are encoded again and files not sent as they are: the server then sees the pixels that an
/// engine here would see (no alpha, no rotation by EXIF, the first picture of a GIF), frames of videos go
/// the same way, every format that is read here is read there, and no metadata leaves the house.
struct PictureEncoder {
    /// The bytes of a PNG file of the picture.
    func encode(_ picture: RGBImage) -> [UInt8] {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let size = bigEndian(UInt32(picture.width)) + bigEndian(UInt32(picture.height))
        // Bit depth 8, colour type 2 (RGB), deflate, adaptive filters, not interlaced.
        append("IHDR", size + [8, 2, 0, 0, 0], to: &file)
        let rows = filtered(picture)
        var writer = DeflateWriter()
        writer.write(rows)
        append("IDAT", [0x78, 0x01] + writer.finish() + bigEndian(adler(rows)), to: &file)
        append("IEND", [], to: &file)
        return file
    }

    private func append(_ type: String, _ content: [UInt8], to file: inout [UInt8]) {
        file += bigEndian(UInt32(content.count))
        let body = Array(type.utf8) + content
        file += body
        file += bigEndian(CyclicCheck.value(of: body))
    }

    /// Each row behind the number of its filter: 1 (against the pixel before), 2 (against the row above)
    /// or 4 (Paeth), whichever leaves the smallest sum of magnitudes, as annex 12.8 advises.
    private func filtered(_ picture: RGBImage) -> [UInt8] {
        let width = picture.width * 3
        var result = [UInt8](repeating: 0, count: (width + 1) * picture.height)
        var above = [UInt8](repeating: 0, count: width)
        var trial = [UInt8](repeating: 0, count: width)
        for row in 0..<picture.height {
            let line = Array(picture.pixels[row * width..<(row + 1) * width])
            var least = Int.max
            for filter in [UInt8(1), 2, 4] {
                var sum = 0
                for place in 0..<width {
                    let left = place < 3 ? 0 : line[place - 3]
                    let predicted =
                        switch filter {
                        case 1: left
                        case 2: above[place]
                        default: paeth(left, above[place], place < 3 ? 0 : above[place - 3])
                        }
                    let difference = line[place] &- predicted
                    trial[place] = difference
                    sum += Int(Int8(bitPattern: difference).magnitude)
                }
                guard sum < least else { continue }
                least = sum
                let start = row * (width + 1)
                result[start] = filter
                result.replaceSubrange(start + 1..<start + 1 + width, with: trial)
            }
            above = line
        }
        return result
    }

    /// The neighbour nearest to left + above − corner; ties go left, then above.
    private func paeth(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
        let estimate = Int(left) + Int(above) - Int(corner)
        let toLeft = abs(estimate - Int(left))
        let toAbove = abs(estimate - Int(above))
        let toCorner = abs(estimate - Int(corner))
        if toLeft <= toAbove, toLeft <= toCorner { return left }
        return toAbove <= toCorner ? above : corner
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// Adler-32. 5552 bytes at a time cannot overflow 32 bits (RFC 1950, §9).
    private func adler(_ bytes: [UInt8]) -> UInt32 {
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

/// CRC-32 as in annex D of the PNG specification.
private enum CyclicCheck {
    static func value(of bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            value = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8
        }
        return ~value
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 0 ? value >> 1 : 0xEDB8_8320 ^ value >> 1
        }
    }
}
