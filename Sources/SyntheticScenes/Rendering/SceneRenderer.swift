/// Draws scenes. Edges are smoothed by the signed distance of the pixel's middle from the outline,
/// so that nothing needs to be drawn larger and reduced.
struct SceneRenderer {
    /// Width and height in pixels.
    let side: Int
    /// Whether edges are smoothed.
    let isSmooth: Bool

    /// The scene as pixels.
    func picture(of scene: Scene) -> ScenePicture {
        var picture = backdrop(scene.backdrop)
        for object in scene.objects { draw(object, scene.backdrop.background, on: &picture) }
        return picture
    }

    // MARK: - Background

    private func backdrop(_ backdrop: SceneBackdrop) -> ScenePicture {
        let base = ScenePalette.colour(backdrop.background).shifted(by: backdrop.shade)
        var picture = ScenePicture(side: side, colour: base)
        switch backdrop.pattern {
        case .plain: break
        case .gradient(let direction, let strength):
            gradient(base, direction, strength, on: &picture)
        case .dots(let perRow, let strength):
            dots(base, perRow, strength, on: &picture)
        }
        return picture
    }

    private func gradient(
        _ base: PixelColour,
        _ direction: Int,
        _ strength: Double,
        on picture: inout ScenePicture
    ) {
        for row in 0..<side {
            for column in 0..<side {
                let (x, y) = (middle(column), middle(row))
                let share =
                    switch direction {
                    case 0: x
                    case 1: y
                    case 2: (x + y) / 2
                    default: (x + 1 - y) / 2
                    }
                let light = strength * (2 * share - 1)
                set(base.shifted(by: PixelColour(light, light, light)), row, column, on: &picture)
            }
        }
    }

    private func dots(
        _ base: PixelColour,
        _ perRow: Int,
        _ strength: Double,
        on picture: inout ScenePicture
    ) {
        let radius = 0.13 / Double(perRow)
        for row in 0..<side {
            for column in 0..<side {
                let (x, y) = (middle(column), middle(row))
                let offsetX = x - (cell(x, perRow) + 0.5) / Double(perRow)
                let offsetY = y - (cell(y, perRow) + 0.5) / Double(perRow)
                let distance = (offsetX * offsetX + offsetY * offsetY).squareRoot() - radius
                let light = strength * coverage(distance * Double(side))
                if light == 0 { continue }
                set(base.shifted(by: PixelColour(light, light, light)), row, column, on: &picture)
            }
        }
    }

    private func cell(_ position: Double, _ perRow: Int) -> Double {
        (position * Double(perRow)).rounded(.down)
    }

    // MARK: - Objects

    private func draw(
        _ object: SceneObject,
        _ background: SceneBackground,
        on picture: inout ScenePicture
    ) {
        let colour = ScenePalette.colour(object.traits.colour).shifted(by: object.shade)
        let second = ScenePalette.stripe(colour, on: background)
        let turn = 1 + object.turn * object.turn
        let cosine = (1 - object.turn * object.turn) / turn
        let sine = 2 * object.turn / turn
        let rows = pixels(around: object.y, reach: object.reach)
        for row in rows {
            for column in pixels(around: object.x, reach: object.reach) {
                let offsetX = (middle(column) - object.x) / object.extent
                let offsetY = (middle(row) - object.y) / object.extent
                let x = offsetX * cosine + offsetY * sine
                let y = offsetY * cosine - offsetX * sine
                let distance = ShapeDistance.distance(object.traits.shape, x: x, y: y)
                let cover = coverage(distance * object.extent * Double(side))
                if cover == 0 { continue }
                let paint =
                    object.traits.texture == .plain
                    ? colour : colour.mixed(with: second, share: stripe(object, x, y))
                set(paint, row, column, on: &picture, share: cover)
            }
        }
    }

    /// The share of the second colour, whose stripes are a little narrower than those of the first:
    /// one of each takes 7 pixels of 72 in a small object and 8 in a large one.
    private func stripe(_ object: SceneObject, _ x: Double, _ y: Double) -> Double {
        let period = object.traits.size == .small ? 0.097 : 0.112
        let along: Double =
            switch object.stripeDirection {
            case 0: x
            case 1: y
            case 2: (x + y) * 0.7071067811865476
            default: (x - y) * 0.7071067811865476
            }
        let position = along * object.extent / period + object.stripePhase
        let fromMiddle = (position - position.rounded(.down) - 0.5).magnitude
        return coverage((fromMiddle - 0.2) * period * Double(side))
    }

    // MARK: - Pixels

    /// How much of a pixel is covered, by the distance of its middle from the outline in pixels.
    private func coverage(_ distance: Double) -> Double {
        isSmooth ? max(0, min(1, 0.5 - distance)) : distance <= 0 ? 1 : 0
    }

    private func middle(_ index: Int) -> Double { (Double(index) + 0.5) / Double(side) }

    private func pixels(around middle: Double, reach: Double) -> Range<Int> {
        let first = Int(((middle - reach) * Double(side)).rounded(.down)) - 1
        let last = Int(((middle + reach) * Double(side)).rounded(.up)) + 1
        return max(0, first)..<max(0, min(side, last))
    }

    private func set(
        _ colour: PixelColour,
        _ row: Int,
        _ column: Int,
        on picture: inout ScenePicture,
        share: Double = 1
    ) {
        let place = (row * side + column) * 3
        mix(colour.red, share, into: &picture.pixels[place])
        mix(colour.green, share, into: &picture.pixels[place + 1])
        mix(colour.blue, share, into: &picture.pixels[place + 2])
    }

    private func mix(_ value: Double, _ share: Double, into byte: inout UInt8) {
        byte = PixelColour.byte(Double(byte) + (value - Double(byte)) * share)
    }
}
