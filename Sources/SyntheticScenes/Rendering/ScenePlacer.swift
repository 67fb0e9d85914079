/// Gives the objects of a picture their places, extents and small variations.
struct ScenePlacer {
    /// The least distance between an object and the border, and between two objects.
    static let margin = 0.02
    static let gap = 0.03

    var random: SeededRandom

    /// A picture of the content.
    mutating func scene(of content: SceneContent) -> Scene {
        let backdrop = backdrop(content.background)
        var traits = content.objects
        if case .count(let count) = content.arrangement, let object = content.objects.first {
            traits = Array(repeating: object, count: count)
        }
        var objects = traits.map { object($0, isAlone: traits.count == 1) }
        if traits.count > 1, content.arrangement.composition == .count {
            // Equal objects are drawn in one shade and with stripes of one direction.
            for index in objects.indices {
                objects[index].shade = objects[0].shade
                objects[index].stripeDirection = objects[0].stripeDirection
            }
        }
        if case .relation(let relation) = content.arrangement, objects.count == 2 {
            place(&objects, relation)
        } else {
            place(&objects)
        }
        return Scene(backdrop: backdrop, objects: objects)
    }

    /// A backdrop with its own shade and pattern.
    mutating func backdrop(_ background: SceneBackground) -> SceneBackdrop {
        let light = random.between(-8, 8)
        let pattern: SceneBackdrop.Pattern =
            switch random.below(4) {
            case 0: .gradient(direction: random.below(4), strength: random.between(8, 16))
            case 1:
                .dots(
                    perRow: 6 + random.below(5),
                    strength: random.between(8, 14) * (random.chance(0.5) ? 1 : -1)
                )
            default: .plain
            }
        return SceneBackdrop(
            background: background,
            shade: PixelColour(light, light, light),
            pattern: pattern
        )
    }

    /// An object without a place. Two large ones beside each other need the lower extents.
    mutating func object(_ traits: ObjectTraits, isAlone: Bool) -> SceneObject {
        let extent =
            traits.size == .small
            ? random.between(0.25, 0.275) : random.between(0.37, isAlone ? 0.43 : 0.39)
        return SceneObject(
            traits: traits,
            x: 0.5,
            y: 0.5,
            extent: extent,
            turn: random.between(-0.05, 0.05),
            shade: PixelColour(
                random.between(-ScenePalette.jitter, ScenePalette.jitter),
                random.between(-ScenePalette.jitter, ScenePalette.jitter),
                random.between(-ScenePalette.jitter, ScenePalette.jitter)
            ),
            stripePhase: random.unit(),
            stripeDirection: random.below(4)
        )
    }

    /// A place within the borders for something of this reach.
    mutating func coordinate(reach: Double) -> Double {
        random.between(Self.margin + reach, 1 - Self.margin - reach)
    }

    /// Anywhere, none over another: tried at random, then on a grid of four.
    private mutating func place(_ objects: inout [SceneObject]) {
        for _ in 0..<200 {
            for index in objects.indices {
                objects[index].x = coordinate(reach: objects[index].reach)
                objects[index].y = coordinate(reach: objects[index].reach)
            }
            if Self.areApart(objects) { return }
        }
        let corners = random.shuffled([(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)])
        for (index, corner) in zip(objects.indices, corners) {
            (objects[index].x, objects[index].y) = corner
        }
    }

    /// The first in this place seen from the second: clearly so, with the other axis at most two
    /// thirds of the distance.
    private mutating func place(_ objects: inout [SceneObject], _ relation: SceneRelation) {
        for _ in 0..<400 {
            for index in objects.indices {
                objects[index].x = coordinate(reach: objects[index].reach)
                objects[index].y = coordinate(reach: objects[index].reach)
            }
            if Self.areApart(objects), Self.relation(objects[0], objects[1]) == relation { return }
        }
        for (index, side) in [0.25, 0.75].enumerated() {
            let isFlipped = relation == .rightOf || relation == .below
            let along = isFlipped ? 1 - side : side
            let isAcross = relation == .leftOf || relation == .rightOf
            objects[index].x = isAcross ? along : 0.5
            objects[index].y = isAcross ? 0.5 : along
        }
    }

    /// Where the first is seen from the second; nil when it is not plain to see.
    static func relation(_ first: SceneObject, _ second: SceneObject) -> SceneRelation? {
        let across = first.x - second.x
        let down = first.y - second.y
        if across.magnitude >= 0.25, down.magnitude <= across.magnitude * 2 / 3 {
            return across < 0 ? .leftOf : .rightOf
        }
        if down.magnitude >= 0.25, across.magnitude <= down.magnitude * 2 / 3 {
            return down < 0 ? .above : .below
        }
        return nil
    }

    /// Whether no two objects touch.
    static func areApart(_ objects: [SceneObject]) -> Bool {
        for (index, one) in objects.enumerated() {
            for other in objects[..<index] {
                let across = one.x - other.x
                let down = one.y - other.y
                let least = one.reach + other.reach + gap
                if across * across + down * down < least * least { return false }
            }
        }
        return true
    }
}
