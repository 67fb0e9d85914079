/// What a text says about a scene: a whole scene as the text has it, and which of it is mentioned.
package struct SceneStatement: Hashable, Sendable {
    /// The scene as it would have to be for the text to be true.
    package var content: SceneContent
    /// What the text mentions of each object of `content`. An empty set: the object is not
    /// mentioned at all, which only clips do, with an object that stands still.
    package var mentions: [TraitSet]
    /// Whether the text names the background.
    package var mentionsBackground: Bool

    /// A statement that mentions these traits of each object.
    package init(_ content: SceneContent, mentions: [TraitSet], background: Bool) {
        precondition(mentions.count == content.objects.count, "one set for each object")
        self.content = content
        self.mentions = mentions
        mentionsBackground = background
    }

    /// A statement that mentions everything: what the caption of a conversation says.
    package init(full content: SceneContent) {
        self.init(content, mentions: content.objects.map { _ in .all }, background: true)
    }

    /// Whether the text names every object, so that one more in the picture is one too many.
    var namesAllObjects: Bool { !mentions.contains([]) }
}
