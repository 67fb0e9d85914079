/// A square picture in memory: rows from the top, red, green and blue of 8 bits each.
package struct ScenePicture: Sendable, Equatable {
    /// Width and height in pixels.
    package let side: Int
    /// `[side, side, 3]`.
    package internal(set) var pixels: [UInt8]

    /// A picture of one colour.
    init(side: Int, colour: PixelColour) {
        self.side = side
        pixels = []
        pixels.reserveCapacity(side * side * 3)
        let bytes = colour.bytes
        for _ in 0..<side * side { pixels.append(contentsOf: bytes) }
    }

    /// The bytes of a binary PPM file.
    package var ppm: [UInt8] { Array("P6\n\(side) \(side)\n255\n".utf8) + pixels }

    /// The same picture of another side, each pixel taken from the nearest.
    func enlarged(to newSide: Int) -> ScenePicture {
        var result = ScenePicture(side: newSide, colour: PixelColour(0, 0, 0))
        let columns = (0..<newSide).map { (2 * $0 + 1) * side / (2 * newSide) * 3 }
        var target = 0
        for row in 0..<newSide {
            let source = (2 * row + 1) * side / (2 * newSide) * side * 3
            for column in columns {
                for channel in 0..<3 {
                    result.pixels[target] = pixels[source + column + channel]
                    target += 1
                }
            }
        }
        return result
    }
}

/// A colour while it is computed, channels 0…255.
struct PixelColour: Sendable, Equatable {
    var red: Double
    var green: Double
    var blue: Double

    init(_ red: Double, _ green: Double, _ blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Rounded and limited to what a byte holds.
    var bytes: [UInt8] { [Self.byte(red), Self.byte(green), Self.byte(blue)] }

    static func byte(_ value: Double) -> UInt8 {
        UInt8(max(0, min(255, (value + 0.5).rounded(.down))))
    }

    func mixed(with other: PixelColour, share: Double) -> PixelColour {
        PixelColour(
            red + (other.red - red) * share,
            green + (other.green - green) * share,
            blue + (other.blue - blue) * share
        )
    }

    func squaredDistance(to other: PixelColour) -> Double {
        let (red, green, blue) = (
            self.red - other.red, self.green - other.green, self.blue - other.blue
        )
        return red * red + green * green + blue * blue
    }

    func scaled(by factor: Double) -> PixelColour {
        PixelColour(red * factor, green * factor, blue * factor)
    }

    func shifted(by shade: PixelColour) -> PixelColour {
        PixelColour(red + shade.red, green + shade.green, blue + shade.blue)
    }
}
