/// The colours that things are drawn in, before their jitter.
enum ScenePalette {
    /// How far the jitter moves a channel of an object's colour, either way.
    static let jitter = 14.0

    static func colour(_ colour: SceneColour) -> PixelColour {
        switch colour {
        case .red: PixelColour(214, 36, 36)
        case .green: PixelColour(34, 158, 58)
        case .blue: PixelColour(38, 84, 228)
        case .yellow: PixelColour(242, 208, 24)
        case .purple: PixelColour(146, 48, 190)
        case .cyan: PixelColour(46, 202, 218)
        }
    }

    static func colour(_ background: SceneBackground) -> PixelColour {
        switch background {
        case .white: PixelColour(240, 240, 240)
        case .grey: PixelColour(124, 124, 124)
        case .black: PixelColour(16, 16, 16)
        case .beige: PixelColour(222, 200, 162)
        case .darkBlue: PixelColour(22, 28, 84)
        }
    }

    /// The second colour of stripes: darker on light backgrounds and lighter on dark ones, so that
    /// the outline stays whole.
    static func stripe(_ colour: PixelColour, on background: SceneBackground) -> PixelColour {
        switch background {
        case .white, .beige: colour.scaled(by: 0.3)
        case .grey, .black, .darkBlue:
            colour.mixed(with: PixelColour(255, 255, 255), share: 0.78)
        }
    }
}
