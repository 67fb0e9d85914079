/// A colour on a shape.
package struct SceneCombination: Hashable, Sendable {
    package let colour: SceneColour
    package let shape: SceneShape

    /// The colour on the shape.
    package init(_ colour: SceneColour, _ shape: SceneShape) {
        self.colour = colour
        self.shape = shape
    }

    /// All 36, in a fixed order.
    static let all = SceneShape.allCases.flatMap { shape in
        SceneColour.allCases.map { SceneCombination($0, shape) }
    }
}

/// Which part of the data a scene belongs to.
///
/// Six of the 36 combinations of colour and shape are kept out of training, one of each colour and
/// one of each shape, so that every colour and every shape is met in training with five partners.
/// What a model makes of the others shows whether it has learned colours and shapes or pictures.
/// Neither pictures nor texts of a split name a combination that is held out for another.
package enum SceneSplit: String, CaseIterable, Sendable {
    case train, validation, test

    /// The combinations that occur in this split and in no other; every group has at least one.
    package var heldOut: Set<SceneCombination> {
        Set(SceneCombination.all.filter { Self.owner(of: $0) == self })
    }

    /// Whether the combination may be shown or named in this split.
    package func allows(_ combination: SceneCombination) -> Bool {
        Self.owner(of: combination).map { $0 == self } ?? true
    }

    /// Whether all of the scene may be shown or named in this split.
    package func allows(_ content: SceneContent) -> Bool {
        content.allCombinations.allSatisfy(allows)
    }

    /// The one split that a combination is held out for; nil when it occurs in all.
    private static func owner(of combination: SceneCombination) -> SceneSplit? {
        switch (combination.colour, combination.shape) {
        case (.purple, .circle), (.cyan, .square): .validation
        case (.red, .cross), (.green, .ring), (.blue, .triangle), (.yellow, .star): .test
        default: nil
        }
    }

    /// The split's own part of every seed.
    var seedPart: UInt64 {
        switch self {
        case .train: 0x7472_6169_6E00_0001
        case .validation: 0x7661_6C69_6400_0002
        case .test: 0x7465_7374_0000_0003
        }
    }
}
