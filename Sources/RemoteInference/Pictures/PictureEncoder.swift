import PNGWriting
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
        let rows = filtered(picture)
        var writer = DeflateWriter()
        writer.write(rows)
        return PNGFile.bytes(
            width: picture.width,
            height: picture.height,
            rows: rows,
            deflated: writer.finish()
        )
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
}
