/// The outline of an object.
package enum SceneShape: String, CaseIterable, Sendable {
    case circle, square, triangle, cross, ring
}

/// The colour of an object. Backgrounds have colours of their own, none of them near these.
package enum SceneColour: String, CaseIterable, Sendable {
    case red, green, blue, yellow, purple, cyan
}

/// How large an object is: small ones are 0.25 to 0.28 of the picture's side across, large ones
/// 0.37 to 0.43, so that no small one is taken for a large one.
package enum SceneSize: String, CaseIterable, Sendable {
    case small, large
}

/// How the inside of an object looks.
package enum SceneTexture: String, CaseIterable, Sendable {
    case plain, striped
}

/// What lies behind the objects.
package enum SceneBackground: String, CaseIterable, Sendable {
    case white, grey, black, beige
    case darkBlue = "dark blue"
}

/// What can be said of one object, whatever else is in the picture.
package struct ObjectTraits: Hashable, Sendable {
    package var shape: SceneShape
    package var colour: SceneColour
    package var size: SceneSize
    package var texture: SceneTexture

    /// An object of this look.
    package init(
        shape: SceneShape,
        colour: SceneColour,
        size: SceneSize,
        texture: SceneTexture
    ) {
        self.shape = shape
        self.colour = colour
        self.size = size
        self.texture = texture
    }

    /// What a text can tell the object by.
    package var combination: SceneCombination { SceneCombination(colour, shape) }

    /// What decides in which split the object may occur.
    package var look: SceneLook { SceneLook(colour, texture, shape) }

    /// Whether both look the same in every trait of the set.
    func agrees(with other: ObjectTraits, in traits: TraitSet) -> Bool {
        TraitSet.single.allSatisfy { !traits.contains($0) || agrees(with: other, inOne: $0) }
    }

    private func agrees(with other: ObjectTraits, inOne trait: TraitSet) -> Bool {
        switch trait {
        case .shape: shape == other.shape
        case .colour: colour == other.colour
        case .size: size == other.size
        default: texture == other.texture
        }
    }
}

/// A choice of the four traits: what a text mentions of an object.
package struct TraitSet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    /// The set with these bits.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The outline.
    package static let shape = TraitSet(rawValue: 1)
    /// The colour.
    package static let colour = TraitSet(rawValue: 2)
    /// Small or large.
    package static let size = TraitSet(rawValue: 4)
    /// Plain or striped.
    package static let texture = TraitSet(rawValue: 8)
    /// The two traits that most texts mention.
    package static let look: TraitSet = [.shape, .colour]
    /// All four.
    package static let all: TraitSet = [.shape, .colour, .size, .texture]

    /// The four sets of one trait.
    static let single: [TraitSet] = [.shape, .colour, .size, .texture]
}
