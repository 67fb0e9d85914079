/// One object where it is drawn. Lengths are shares of the picture's side, x to the right and y
/// down.
package struct SceneObject: Sendable, Equatable {
    /// What it is.
    package var traits: ObjectTraits
    /// Its middle.
    package var x: Double
    package var y: Double
    /// How wide it is, about.
    package var extent: Double
    /// Half the turn as a tangent: the angle is 2·atan(turn), so that no sine is needed and every
    /// machine gives the same bits.
    var turn: Double
    /// Added to the colour of the palette.
    var shade: PixelColour
    /// 0…1: where the first stripe begins.
    var stripePhase: Double
    /// One of the four directions across the stripes.
    var stripeDirection: Int

    /// The radius of a circle that the object does not leave.
    var reach: Double { extent * Self.reach(of: traits.shape) }

    /// The reach of a shape whose extent is 1.
    static func reach(of shape: SceneShape) -> Double {
        switch shape {
        case .circle, .ring: 0.5
        case .cross: 0.54
        case .triangle: 0.58
        case .square: 0.6
        }
    }
}

/// What lies behind the objects and how it varies.
struct SceneBackdrop: Sendable, Equatable {
    enum Pattern: Sendable, Equatable {
        case plain
        /// Lighter to darker along one of four directions, by ± this much.
        case gradient(direction: Int, strength: Double)
        /// Faint dots, this many in a row, this much lighter or darker.
        case dots(perRow: Int, strength: Double)
    }

    var background: SceneBackground
    var shade: PixelColour
    var pattern: Pattern
}

/// One picture, or one frame of a clip, before it is drawn.
package struct Scene: Sendable, Equatable {
    var backdrop: SceneBackdrop
    /// The objects; none covers another.
    package var objects: [SceneObject]
}
