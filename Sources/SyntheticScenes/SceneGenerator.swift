/// Makes groups of scenes. The same seed, split and index give the same group, and the same pixels,
/// on every machine; groups of different splits share no seed.
package struct SceneGenerator: Sendable {
    /// The seed that the caller chose.
    package let seed: UInt64
    /// The split whose looks are kept to.
    package let split: SceneSplit
    /// Variants of each scene, at least 2.
    package let variantCount: Int
    /// Which faults and mentions are frequent.
    package let mix: SceneMix

    /// A generator of one split.
    package init(
        seed: UInt64,
        split: SceneSplit,
        variantCount: Int = 6,
        mix: SceneMix = .usual
    ) {
        precondition(variantCount >= 2, "at least two variants")
        self.seed = seed
        self.split = split
        self.variantCount = variantCount
        self.mix = mix
    }

    /// The group of this index, of pictures or of clips.
    package func group(_ index: Int, ofClips: Bool = false) -> SceneGroup {
        let path = seedPath(index, ofClips: ofClips)
        var random = SeededRandom(path: path)
        let composition = random.pick(ofClips ? SceneComposition.clips : SceneComposition.pictures)
        let base = base(composition, using: &random)
        var focus = SceneFocus(for: composition, isThorough: false, mix: mix, using: &random)
        if !random.chance(0.5) { focus.background = false }
        let variants = variants(of: base, focus: focus, path: path, using: &random)
        return SceneGroup(
            split: split,
            index: index,
            composition: composition,
            variants: variants,
            captions: variants.map { captions(of: $0.content, focus: focus, using: &random) },
            fullCaptions: variants.map {
                caption(SceneStatement(full: $0.content), using: &random)
            },
            questions: variants.map { variant in
                var maker = QuestionMaker(
                    content: variant.content,
                    split: split,
                    random: SeededRandom(path: [variant.seed, 0x0E57])
                )
                return maker.questions()
            }
        )
    }

    /// Where the group's random numbers begin.
    func seedPath(_ index: Int, ofClips: Bool) -> [UInt64] {
        [seed, split.seedPart, ofClips ? 1 : 0, UInt64(index)]
    }

    // MARK: - Scenes

    private func base(
        _ composition: SceneComposition,
        using random: inout SeededRandom
    ) -> SceneContent {
        while true {
            let content = draft(composition, using: &random)
            if content.isClear, split.allows(content) { return content }
        }
    }

    /// A scene of the composition with a held-out look of the split, if it has any; it may
    /// still be unclear.
    private func draft(
        _ composition: SceneComposition,
        using random: inout SeededRandom
    ) -> SceneContent {
        let count =
            switch composition {
            case .single, .count: 1
            case .list: random.chance(0.85) ? 2 : 3
            case .relation, .appearance: 2
            case .motion, .recolouring: random.chance(0.35) ? 1 : 2
            }
        var objects = (0..<count).map { _ in
            ObjectTraits(
                shape: random.pick(SceneShape.allCases),
                colour: random.pick(SceneColour.allCases),
                size: random.pick(SceneSize.allCases),
                texture: random.pick(SceneTexture.allCases)
            )
        }
        let actor = random.below(count)
        // The order of a set differs from run to run, that of all looks does not.
        let heldOut = SceneLook.all.filter(split.heldOut.contains)
        if !heldOut.isEmpty {
            let look = random.pick(heldOut)
            let place = random.below(count)
            objects[place].colour = look.colour
            objects[place].texture = look.texture
            objects[place].shape = look.shape
        }
        return SceneContent(
            objects: objects,
            arrangement: arrangement(composition, actor: actor, using: &random),
            background: random.pick(SceneBackground.allCases)
        )
    }

    private func arrangement(
        _ composition: SceneComposition,
        actor: Int,
        using random: inout SeededRandom
    ) -> SceneArrangement {
        switch composition {
        case .single: .single
        case .list: .list
        case .count: .count(random.pick([1, 2, 2, 3, 3, 4, 4]))
        case .relation: .relation(random.pick(SceneRelation.allCases))
        case .motion: .motion(random.pick(SceneDirection.allCases), actor: actor)
        case .appearance: .appearance(actor: actor)
        case .recolouring: .recolouring(random.pick(SceneColour.allCases), actor: actor)
        }
    }

    // MARK: - Variants

    private func variants(
        of base: SceneContent,
        focus: SceneFocus,
        path: [UInt64],
        using random: inout SeededRandom
    ) -> [SceneVariant] {
        let plan = random.shuffled((1..<variantCount).map { [0, 1, 1, 1, 2][($0 - 1) % 5] })
        var variants: [SceneVariant] = []
        for (number, changes) in ([0] + plan).enumerated() {
            let isBase = number == 0
            let content = edited(base, changes: changes, focus: focus, using: &random)
            let isSpoilt = !isBase && (changes == 0 || random.chance(0.2))
            variants.append(
                SceneVariant(
                    content: content,
                    quality: isSpoilt
                        ? fault(base.arrangement.composition, using: &random) : .whole,
                    seed: Self.seed(path + [UInt64(number)])
                )
            )
        }
        return variants
    }

    private static func seed(_ path: [UInt64]) -> UInt64 {
        var random = SeededRandom(path: path)
        return random.next()
    }

    private func fault(
        _ composition: SceneComposition,
        using random: inout SeededRandom
    ) -> SceneQuality {
        let faults = mix.faults(ofClip: composition.isClip)
        return SceneQuality(random.pick(faults), severity: random.chance(0.5) ? 1 : 2)
    }

    /// The scene with so many slots changed, most of them slots that the captions mention; of those, what
    /// a generator of pictures gets wrong comes first as often as the mix says.
    private func edited(
        _ base: SceneContent,
        changes: Int,
        focus: SceneFocus,
        using random: inout SeededRandom
    ) -> SceneContent {
        var content = base
        let statement = focus.statement(of: base)
        let drawn = random.shuffled(SceneSlot.slots(of: base))
        let slots =
            random.chance(mix.commonFirst)
            ? drawn.filter(\.isCommon) + drawn.filter { !$0.isCommon } : drawn
        let mentioned = slots.filter { $0.isMentioned(in: statement) }
        let silent = slots.filter { !$0.isMentioned(in: statement) }
        var queue = mentioned + silent
        if random.chance(0.15), let other = silent.first { queue.insert(other, at: 0) }
        // An object is taken away last: the indices of the other slots no longer fit afterwards.
        let chosen = queue.prefix(changes)
        let ordered = chosen.filter { $0 != .presence } + chosen.filter { $0 == .presence }
        for slot in ordered {
            if let changed = content.changing(slot, in: split, using: &random) { content = changed }
        }
        return content
    }

    // MARK: - Captions

    private func captions(
        of content: SceneContent,
        focus: SceneFocus,
        using random: inout SeededRandom
    ) -> [SceneCaption] {
        let statements = [
            focus.statement(of: content),
            focus.statement(of: content),
            .drawn(of: content, isThorough: false, using: &random),
        ]
        return statements.map { caption($0, using: &random) }
    }

    private func caption(
        _ statement: SceneStatement,
        using random: inout SeededRandom
    ) -> SceneCaption {
        var wording = SceneWording(random: random)
        let text = wording.sentence(statement)
        random = wording.random
        return SceneCaption(text: text, statement: statement)
    }
}
