/// Everything that is true of a picture or clip as one line in fixed words and a fixed order: what a
/// model learns to see by.
///
/// A caption leaves things out and can be worded in many ways; an inventory says all of it in the one
/// way, so that every token of it but the commas tells something about the picture. Objects stand in
/// the order of their colours, then of their shapes, whose names come first: what follows them is
/// looked up by colour and shape, as judging a caption needs.
struct SceneInventory: Sendable {
    /// What asks for it.
    static let prompt = "List all."

    /// "Red circle large plain, blue star small striped, white background, mild blur."
    let text: String

    /// The inventory of one variant.
    init(_ variant: SceneVariant) {
        let content = variant.content
        let order = content.objects.indices.sorted {
            Self.rank(content.objects[$0]) < Self.rank(content.objects[$1])
        }
        let objects = order.map { Self.words(for: $0, in: content) }
        let things: [String]
        if case .relation(let relation) = content.arrangement, order.count == 2 {
            let seen = order[0] == 0 ? relation : relation.inverse
            things = ["\(objects[0]) \(Self.words(for: seen)) \(objects[1])"]
        } else {
            things = objects
        }
        let parts =
            things + [
                "\(content.background.rawValue) background", variant.quality.reason ?? "no fault",
            ]
        text = NounPhrase.capitalised(parts.joined(separator: ", ")) + "."
    }

    /// The order of objects in an inventory.
    private static func rank(_ object: ObjectTraits) -> Int {
        let colour = SceneColour.allCases.firstIndex(of: object.colour) ?? 0
        let shape = SceneShape.allCases.firstIndex(of: object.shape) ?? 0
        return colour * SceneShape.allCases.count + shape
    }

    private static func words(for index: Int, in content: SceneContent) -> String {
        let object = content.objects[index]
        var words = [
            object.colour.rawValue, object.shape.rawValue, object.size.rawValue,
            object.texture.rawValue,
        ]
        if case .count(let count) = content.arrangement {
            words.insert(NounPhrase.number(count), at: 0)
        }
        if let event = event(of: index, in: content.arrangement) { words.append(event) }
        return words.joined(separator: " ")
    }

    /// What the object of a clip does; nil in a picture.
    private static func event(of index: Int, in arrangement: SceneArrangement) -> String? {
        guard let actor = arrangement.actor else { return nil }
        if case .appearance = arrangement {
            return index == actor ? "appears first" : "appears last"
        }
        guard index == actor else { return "stands still" }
        return switch arrangement {
        case .motion(let direction, _): "moves \(direction.rawValue)"
        case .recolouring(let colour, _): "turns \(colour.rawValue)"
        default: nil
        }
    }

    private static func words(for relation: SceneRelation) -> String {
        switch relation {
        case .leftOf: "left of"
        case .rightOf: "right of"
        case .above: "above"
        case .below: "below"
        }
    }
}
