/// Which part of the data a scene belongs to.
///
/// Eight of the 60 looks are kept out of training: four for testing, of four colours and four shapes, and
/// four for validation, of the other two colours. Each pair of colour and shape is met in training with at least
/// one texture. What a model makes of the others shows whether it has learned traits or pictures. Neither
/// pictures nor texts of a split name a look that is held out for another.
///
/// Pairs of colour and shape were held out before. A shape that never has a colour is then ruled out
/// by the colour alone, and wherever a patch leaves doubt a model uses that: after 96,000 pictures the
/// shapes of patches were right for some nine in ten of the known pairs and for none of 26 of red crosses.
package enum SceneSplit: String, CaseIterable, Sendable {
    case train, validation, test

    /// The looks that occur in this split and in no other; every group has at least one.
    package var heldOut: Set<SceneLook> {
        Set(SceneLook.all.filter { Self.owner(of: $0) == self })
    }

    /// Whether the look may be shown or named in this split.
    package func allows(_ look: SceneLook) -> Bool {
        Self.owner(of: look).map { $0 == self } ?? true
    }

    /// Whether all of the scene may be shown or named in this split.
    package func allows(_ content: SceneContent) -> Bool {
        content.looks.allSatisfy(allows)
    }

    /// The one split that a look is held out for; nil when it occurs in all.
    private static func owner(of look: SceneLook) -> SceneSplit? {
        switch (look.colour, look.texture, look.shape) {
        case (.purple, .striped, .circle), (.purple, .striped, .square), (.cyan, .plain, .circle),
            (.cyan, .plain, .square):
            .validation
        case (.red, .striped, .cross), (.green, .plain, .ring), (.blue, .striped, .triangle),
            (.yellow, .plain, .circle):
            .test
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
