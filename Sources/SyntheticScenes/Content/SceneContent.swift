/// Where the first object of a pair is, seen from the second.
package enum SceneRelation: String, CaseIterable, Sendable {
    case leftOf, rightOf, above, below

    /// The same fact seen from the other object.
    package var inverse: SceneRelation {
        switch self {
        case .leftOf: .rightOf
        case .rightOf: .leftOf
        case .above: .below
        case .below: .above
        }
    }
}

/// Where an object of a clip goes.
package enum SceneDirection: String, CaseIterable, Sendable {
    case left, right, up, down
}

/// How a scene is put together. The first four are pictures, the others clips.
package enum SceneComposition: String, CaseIterable, Sendable {
    case single, list, count, relation
    case motion, appearance, recolouring

    /// Whether the scene has several frames.
    package var isClip: Bool { !Self.pictures.contains(self) }

    /// The compositions of one picture.
    package static let pictures: [SceneComposition] = [.single, .list, .count, .relation]
    /// The compositions of several frames.
    package static let clips: [SceneComposition] = [.motion, .appearance, .recolouring]
}

/// What holds of the objects together. `actor` is the index of the object that something happens
/// to; the others of a clip stand still.
package enum SceneArrangement: Hashable, Sendable {
    /// One object.
    case single
    /// Two or three objects, no two of one colour and shape.
    case list
    /// So many objects that all look like the one in `objects`.
    case count(Int)
    /// Two objects, the first in this place seen from the second.
    case relation(SceneRelation)
    /// One object moves.
    case motion(SceneDirection, actor: Int)
    /// Two objects come one after the other, `actor` first.
    case appearance(actor: Int)
    /// One object changes its colour from that of its traits to this one.
    case recolouring(SceneColour, actor: Int)

    /// The composition that the arrangement belongs to.
    package var composition: SceneComposition {
        switch self {
        case .single: .single
        case .list: .list
        case .count: .count
        case .relation: .relation
        case .motion: .motion
        case .appearance: .appearance
        case .recolouring: .recolouring
        }
    }

    /// The object that something happens to; nil for pictures.
    package var actor: Int? {
        switch self {
        case .motion(_, let actor), .appearance(let actor), .recolouring(_, let actor):
            actor
        default: nil
        }
    }
}

/// Everything that is true of a scene and can be said of it: no positions, no shades, no faults.
package struct SceneContent: Hashable, Sendable {
    /// The objects; for `.count` the one that all look like. An object's index is its name in
    /// statements and arrangements.
    package var objects: [ObjectTraits]
    package var arrangement: SceneArrangement
    package var background: SceneBackground

    /// A scene of these objects.
    package init(
        objects: [ObjectTraits],
        arrangement: SceneArrangement,
        background: SceneBackground
    ) {
        self.objects = objects
        self.arrangement = arrangement
        self.background = background
    }

    /// How many objects the scene shows (for `.count` all of them).
    package var objectCount: Int {
        if case .count(let count) = arrangement { return count }
        return objects.count
    }

    /// The look of every object, before and after any change of colour.
    package var looks: Set<SceneLook> {
        var looks = Set(objects.map(\.look))
        if case .recolouring(let colour, let actor) = arrangement, objects.indices.contains(actor) {
            looks.insert(SceneLook(colour, objects[actor].texture, objects[actor].shape))
        }
        return looks
    }

    /// The colour and shape of the objects in their order, a new colour last.
    private var allCombinations: [SceneCombination] {
        var combinations = objects.map(\.combination)
        if case .recolouring(let colour, let actor) = arrangement, objects.indices.contains(actor) {
            combinations.append(SceneCombination(colour, objects[actor].shape))
        }
        return combinations
    }

    /// Whether a text can tell the objects apart and every change is one: no two objects of one
    /// colour and shape, not even while one is recoloured, and a new colour that is new.
    package var isClear: Bool {
        let combinations = allCombinations
        return combinations.indices.allSatisfy { index in
            !combinations[..<index].contains(combinations[index])
        }
    }
}
