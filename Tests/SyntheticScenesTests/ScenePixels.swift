@testable import SyntheticScenes

/// What the tests measure on pixels.
enum ScenePixels {
    /// FNV-1a of 64 bits: enough to pin bytes.
    static func digest(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }

    static func colour(_ picture: ScenePicture, row: Int, column: Int) -> PixelColour {
        let place = (row * picture.side + column) * 3
        return PixelColour(
            Double(picture.pixels[place]),
            Double(picture.pixels[place + 1]),
            Double(picture.pixels[place + 2])
        )
    }

    static func distance(_ one: PixelColour, _ other: PixelColour) -> Double {
        one.squaredDistance(to: other).squareRoot()
    }

    /// The object colour nearest to the pixel.
    static func nearest(_ colour: PixelColour) -> SceneColour? {
        SceneColour.allCases.min {
            distance(ScenePalette.colour($0), colour) < distance(ScenePalette.colour($1), colour)
        }
    }

    /// How many pixels are nearer to the colour than to the background, and their middle as shares
    /// of the side.
    static func region(
        of colour: SceneColour,
        on background: SceneBackground,
        in picture: ScenePicture
    ) -> (count: Int, x: Double, y: Double) {
        var count = 0
        var (sumX, sumY) = (0.0, 0.0)
        for row in 0..<picture.side {
            for column in 0..<picture.side {
                let pixel = self.colour(picture, row: row, column: column)
                let own = distance(pixel, ScenePalette.colour(colour))
                guard own < distance(pixel, ScenePalette.colour(background)),
                    nearest(pixel) == colour, own < 60
                else { continue }
                count += 1
                sumX += Double(column) + 0.5
                sumY += Double(row) + 0.5
            }
        }
        let scale = Double(max(1, count) * picture.side)
        return (count, sumX / scale, sumY / scale)
    }

    /// Mean difference of channels after both pictures are halved: what a reduction leaves of it.
    static func halvedDifference(_ one: ScenePicture, _ other: ScenePicture) -> Double {
        let half = one.side / 2
        var sum = 0
        for row in 0..<half {
            for column in 0..<half {
                for channel in 0..<3 {
                    var difference = 0
                    for (down, across) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                        let place =
                            ((2 * row + down) * one.side + 2 * column + across) * 3 + channel
                        difference += Int(one.pixels[place]) - Int(other.pixels[place])
                    }
                    sum += abs(difference)
                }
            }
        }
        return Double(sum) / Double(half * half * 3 * 4)
    }
}

extension SceneContent {
    /// A scene in few words.
    static func of(
        _ objects: [ObjectTraits],
        _ arrangement: SceneArrangement,
        on background: SceneBackground = .white
    ) -> SceneContent {
        SceneContent(objects: objects, arrangement: arrangement, background: background)
    }
}

extension ObjectTraits {
    /// An object in few words.
    static func of(
        _ colour: SceneColour,
        _ shape: SceneShape,
        _ size: SceneSize = .large,
        _ texture: SceneTexture = .plain
    ) -> ObjectTraits {
        ObjectTraits(shape: shape, colour: colour, size: size, texture: texture)
    }
}
