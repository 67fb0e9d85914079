/// A colour on a shape: no two objects of a scene share it.
package struct SceneCombination: Hashable, Sendable {
    package let colour: SceneColour
    package let shape: SceneShape

    /// The colour on the shape.
    package init(_ colour: SceneColour, _ shape: SceneShape) {
        self.colour = colour
        self.shape = shape
    }
}
