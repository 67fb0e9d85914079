/// A decoded picture: 8-bit red, green, blue, no alpha, in height-width-channel order.
///
/// Every decoder of this package produces one and every step before the vision tower takes one.
package struct RGBImage: Sendable, Equatable {
    /// Columns, at least 1.
    package let width: Int
    /// Rows, at least 1.
    package let height: Int
    /// `height · width · 3` bytes; the sample of channel `c` at row `y`, column `x` is
    /// `pixels[(y · width + x) · 3 + c]`.
    package let pixels: [UInt8]

    /// Takes the bytes as they are.
    ///
    /// - Throws: when a side is not positive or the byte count is not `width · height · 3`.
    package init(width: Int, height: Int, pixels: [UInt8]) throws(VisionPreprocessingError) {
        guard width > 0, height > 0 else {
            throw VisionPreprocessingError(
                "image: expected both sides to be at least 1 pixel, got \(width) × \(height)."
            )
        }
        let (area, overflowArea) = width.multipliedReportingOverflow(by: height)
        let (count, overflowCount) = area.multipliedReportingOverflow(by: 3)
        guard !overflowArea, !overflowCount, pixels.count == count else {
            throw VisionPreprocessingError(
                "image: expected \(width) × \(height) × 3 bytes, got \(pixels.count)."
            )
        }
        self.init(width: width, height: height, checked: pixels)
    }

    /// For callers inside this module that made the bytes themselves.
    init(width: Int, height: Int, checked pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height * 3)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A picture of one colour; `colour` has three entries.
    package static func filled(width: Int, height: Int, colour: [UInt8]) -> RGBImage {
        precondition(colour.count == 3)
        let count = width * height * 3
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if colour[0] == colour[1], colour[1] == colour[2] {
                buffer.initialize(repeating: colour[0])
            } else {
                for index in 0..<count { buffer[index] = colour[index % 3] }
            }
            initialized = count
        }
        return RGBImage(width: width, height: height, checked: pixels)
    }

    /// This picture with `other` copied over it, its top left corner at (`x`, `y`).
    ///
    /// `other` must lie inside. Equals `PIL.Image.paste` of an opaque picture.
    func pasting(_ other: RGBImage, x: Int, y: Int) -> RGBImage {
        precondition(x >= 0 && y >= 0 && x + other.width <= width && y + other.height <= height)
        var result = pixels
        let rowBytes = other.width * 3
        for row in 0..<other.height {
            let target = ((y + row) * width + x) * 3
            let source = row * rowBytes
            result.replaceSubrange(
                target..<target + rowBytes,
                with: other.pixels[source..<source + rowBytes]
            )
        }
        return RGBImage(width: width, height: height, checked: result)
    }

    /// The rectangle of the given size whose top left corner is (`x`, `y`); it must lie inside.
    func cropped(x: Int, y: Int, width cropWidth: Int, height cropHeight: Int) -> RGBImage {
        precondition(x >= 0 && y >= 0 && x + cropWidth <= width && y + cropHeight <= height)
        var result: [UInt8] = []
        result.reserveCapacity(cropWidth * cropHeight * 3)
        for row in y..<y + cropHeight {
            let start = (row * width + x) * 3
            result.append(contentsOf: pixels[start..<start + cropWidth * 3])
        }
        return RGBImage(width: cropWidth, height: cropHeight, checked: result)
    }
}
