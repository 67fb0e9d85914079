/// What the texts about one group of scenes mention: traits by the role of an object, so that the
/// same focus fits every variant of a scene.
struct SceneFocus: Sendable, Hashable {
    /// Of the first object of a picture, and of the one that something happens to in a clip.
    var leading: TraitSet
    /// Of the other objects; empty when a clip's text leaves them out.
    var others: TraitSet
    var background: Bool

    /// A focus for a composition. A thorough one mentions at least colour and shape of everything.
    init(
        for composition: SceneComposition,
        isThorough: Bool,
        mix: SceneMix,
        using random: inout SeededRandom
    ) {
        leading = Self.traits(isThorough, mix, using: &random)
        others = random.chance(0.7) ? leading : Self.traits(isThorough, mix, using: &random)
        let mayLeaveOut = composition.isClip && composition != .appearance && !isThorough
        if mayLeaveOut, random.chance(0.4) { others = [] }
        background = random.chance(0.3)
    }

    private static func traits(
        _ isThorough: Bool,
        _ mix: SceneMix,
        using random: inout SeededRandom
    ) -> TraitSet {
        var traits = TraitSet.look
        if !isThorough, random.chance(0.28) { traits = random.chance(0.5) ? .shape : .colour }
        if random.chance(mix.detail) { traits.insert(.size) }
        if random.chance(mix.detail) { traits.insert(.texture) }
        return traits
    }

    /// What a text of this focus says of a scene. Where the mentioned traits would not tell two
    /// objects apart, colour and shape are added to all.
    func statement(of content: SceneContent) -> SceneStatement {
        let actor = content.arrangement.actor ?? 0
        var mentions = content.objects.indices.map { $0 == actor ? leading : others }
        let isUnclear = mentions.indices.contains { one in
            content.objects.indices.contains { other in
                other != one && mentions[one] != []
                    && content.objects[one].agrees(
                        with: content.objects[other],
                        in: mentions[one]
                    )
            }
        }
        if isUnclear { mentions = mentions.map { $0 == [] ? [] : $0.union(.look) } }
        return SceneStatement(content, mentions: mentions, background: background)
    }
}

extension SceneStatement {
    /// A statement with a focus of its own.
    static func drawn(
        of content: SceneContent,
        isThorough: Bool,
        using random: inout SeededRandom
    ) -> SceneStatement {
        SceneFocus(
            for: content.arrangement.composition,
            isThorough: isThorough,
            mix: .usual,
            using: &random
        ).statement(of: content)
    }
}
