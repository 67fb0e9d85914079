/// Draws a scene with a fault of quality. Measures are shares of the picture's side, so that a
/// fault looks the same at every size.
struct QualityFilter {
    let quality: SceneQuality
    /// Width and height of the result in pixels.
    let side: Int
    /// Decides noise and the tint; every frame of a clip gets its own noise and the same tint.
    let seed: UInt64

    /// The frame of this index of a clip; 0 for a picture.
    func picture(of scene: Scene, frame: Int = 0) -> ScenePicture {
        let isSevere = quality.severity == 2
        if quality.fault == .jagged {
            let coarse = SceneRenderer(side: isSevere ? 22 : 30, isSmooth: false)
            return coarse.picture(of: scene).enlarged(to: side)
        }
        var picture = SceneRenderer(side: side, isSmooth: true).picture(of: scene)
        switch quality.fault {
        case .blur:
            BoxBlur(deviation: Double(side) * (isSevere ? 0.042 : 0.024)).apply(to: &picture)
        case .noise: addNoise(to: &picture, strength: isSevere ? 96 : 44, frame: frame)
        case .colourCast: castColour(on: &picture, scene.backdrop.background)
        case .flicker: flicker(&picture, strength: isSevere ? 0.6 : 0.34, frame: frame)
        case .jagged, nil: break
        }
        return picture
    }

    // MARK: - Noise

    /// Grey and coloured grain of about one pixel of 64, so that a reduction does not remove it:
    /// the sum of three uniform numbers has a deviation of half the `strength`.
    private func addNoise(to picture: inout ScenePicture, strength: Double, frame: Int) {
        var random = SeededRandom(path: [seed, 0x4E01, UInt64(frame)])
        let grains = min(side, 64)
        var grain: [Double] = []
        for _ in 0..<grains * grains * 3 {
            grain.append((random.unit() + random.unit() + random.unit() - 1.5) * strength)
        }
        for row in 0..<side {
            let grainRow = row * grains / side * grains
            for column in 0..<side {
                let source = (grainRow + column * grains / side) * 3
                let target = (row * side + column) * 3
                for channel in 0..<3 {
                    picture.pixels[target + channel] = PixelColour.byte(
                        Double(picture.pixels[target + channel]) + grain[source + channel]
                    )
                }
            }
        }
    }

    // MARK: - Colour cast and flicker

    /// The veils. With every one of them each object colour stays nearest to itself, by distance
    /// and by hue; a test holds this for all jitters.
    static let tints = [
        PixelColour(160, 145, 55), PixelColour(115, 205, 115), PixelColour(115, 160, 205),
        PixelColour(160, 70, 115),
    ]

    /// The share of the veil in every pixel.
    static func castShare(severity: Int) -> Double { severity == 2 ? 0.3 : 0.2 }

    /// The veils with which a background, too, stays nearest to itself: black does not become dark
    /// blue, nor white beige.
    static func tints(for background: SceneBackground, severity: Int) -> [PixelColour] {
        let ground = ScenePalette.colour(background)
        return tints.filter { tint in
            let shown = ground.mixed(with: tint, share: castShare(severity: severity))
            let own = shown.squaredDistance(to: ground)
            return SceneBackground.allCases.allSatisfy {
                shown.squaredDistance(to: ScenePalette.colour($0)) >= own
            }
        }
    }

    private func castColour(on picture: inout ScenePicture, _ background: SceneBackground) {
        var random = SeededRandom(path: [seed, 0xCA57])
        let fitting = Self.tints(for: background, severity: quality.severity)
        let tint = random.pick(fitting.isEmpty ? Self.tints : fitting)
        let share = Self.castShare(severity: quality.severity)
        let veil = [tint.red, tint.green, tint.blue]
        for place in picture.pixels.indices {
            let value = Double(picture.pixels[place])
            picture.pixels[place] = PixelColour.byte(value + (veil[place % 3] - value) * share)
        }
    }

    /// Every other frame is darker; the odd or the even ones.
    private func flicker(_ picture: inout ScenePicture, strength: Double, frame: Int) {
        var random = SeededRandom(path: [seed, 0xF11C])
        let isDark = frame.isMultiple(of: 2) == random.chance(0.5)
        let factor = isDark ? 1 - strength : 1
        picture.pixels = picture.pixels.map { PixelColour.byte(Double($0) * factor) }
    }
}
