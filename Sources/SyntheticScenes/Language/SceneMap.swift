/// One trait of whatever lies in each cell of a picture, row by row, as words: "No no red red no …".
///
/// A model's image tokens stand for the cells of a grid in the same order, so that each word of a map
/// is about one token, always as far away: it tells every patch what it shows, long before the model
/// knows where to look. Inventories and captions are then learnt from features that mean something.
struct SceneMap: Sendable {
    /// The trait that a map is of.
    enum Trait: CaseIterable, Sendable {
        case colours, shapes, sizes, textures

        /// What asks for the map.
        var prompt: String {
            switch self {
            case .colours: "Map colours."
            case .shapes: "Map shapes."
            case .sizes: "Map sizes."
            case .textures: "Map textures."
            }
        }
    }

    /// Cells along a side of a picture: the patches of the model `scenes`.
    static let pictureSide = 6
    /// Cells along a side of a clip's frame: its pooled patches.
    static let frameSide = 3
    /// Points along a side of a cell that are looked at.
    private static let points = 4
    /// Points of a cell that an object must cover to be named.
    private static let least = 3

    /// The words, the first with a capital.
    let text: String

    /// The map of a picture (one scene) or of a clip (one for each frame).
    init(_ trait: Trait, of frames: [Scene]) {
        let side = frames.count > 1 ? Self.frameSide : Self.pictureSide
        let words = frames.flatMap { frame in
            (0..<side * side).map { cell in
                Self.object(in: frame, row: cell / side, column: cell % side, of: side)
                    .map { Self.word(for: $0.traits, trait) } ?? "no"
            }
        }
        text = NounPhrase.capitalised(words.joined(separator: " "))
    }

    private static func word(for traits: ObjectTraits, _ trait: Trait) -> String {
        switch trait {
        case .colours: traits.colour.rawValue
        case .shapes: traits.shape.rawValue
        case .sizes: traits.size.rawValue
        case .textures: traits.texture.rawValue
        }
    }

    /// The object that covers most of a cell, unless it covers too little.
    private static func object(in scene: Scene, row: Int, column: Int, of side: Int) -> SceneObject?
    {
        var best: (count: Int, object: SceneObject)?
        for object in scene.objects {
            var count = 0
            for point in 0..<points * points {
                let x = (Double(column) + middle(point % points)) / Double(side)
                let y = (Double(row) + middle(point / points)) / Double(side)
                let distance = ShapeDistance.distance(
                    object.traits.shape,
                    x: (x - object.x) / object.extent,
                    y: (y - object.y) / object.extent
                )
                if distance <= 0 { count += 1 }
            }
            if count >= least, count > best?.count ?? 0 { best = (count, object) }
        }
        return best?.object
    }

    private static func middle(_ point: Int) -> Double { (Double(point) + 0.5) / Double(points) }
}
