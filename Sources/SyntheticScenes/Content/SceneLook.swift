/// A colour and a texture on a shape.
package struct SceneLook: Hashable, Sendable {
    package let colour: SceneColour
    package let texture: SceneTexture
    package let shape: SceneShape

    /// The colour and the texture on the shape.
    package init(_ colour: SceneColour, _ texture: SceneTexture, _ shape: SceneShape) {
        self.colour = colour
        self.texture = texture
        self.shape = shape
    }

    /// All 60, in a fixed order.
    static let all = SceneShape.allCases.flatMap { shape in
        SceneColour.allCases.flatMap { colour in
            SceneTexture.allCases.map { SceneLook(colour, $0, shape) }
        }
    }
}
