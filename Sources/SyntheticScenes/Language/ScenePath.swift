/// Where one object of a picture or clip lies, frame by frame, in words: "Left up, up, right up, no."
///
/// Which way something goes, and what is left of what, are differences between places. Of a model that was asked
/// for the differences alone, one in five answers about a direction was right in both orders, when nine in ten of
/// those about colours were.
struct ScenePath: Sendable {
    /// The words, the first with a capital; "no" for a frame without the object.
    let text: String

    /// The path of the object of this index of the content.
    init(of index: Int, in content: SceneContent, frames: [Scene]) {
        let words = frames.map { frame -> String in
            // A frame with all objects has them in their order; one of them may have another colour there.
            let isWhole = frame.objects.count == content.objects.count
            let object =
                isWhole
                ? frame.objects[index]
                : frame.objects.first { $0.traits == content.objects[index] }
            return object.map { Self.place(x: $0.x, y: $0.y) } ?? "no"
        }
        text = NounPhrase.capitalised(words.joined(separator: ", ")) + "."
    }

    /// What asks for the path of an object.
    static func prompt(for object: ObjectTraits) -> String {
        "Map \(NounPhrase.definite(object))."
    }

    /// Which ninth of the picture a place is in; shares of its side.
    static func place(x: Double, y: Double) -> String {
        let across = x < 1.0 / 3 ? "left" : x < 2.0 / 3 ? nil : "right"
        let down = y < 1.0 / 3 ? "up" : y < 2.0 / 3 ? nil : "down"
        let words = [across, down].compactMap { $0 }
        return words.isEmpty ? "middle" : words.joined(separator: " ")
    }
}
