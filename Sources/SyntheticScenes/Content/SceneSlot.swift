/// One place of a scene's description that can be given another value.
enum SceneSlot: Hashable, Sendable {
    case shape(Int)
    case colour(Int)
    case size(Int)
    case texture(Int)
    case background
    /// An object is taken away.
    case presence
    case count, relation, direction, actor, newColour

    /// The slots of a scene.
    static func slots(of content: SceneContent) -> [SceneSlot] {
        var slots: [SceneSlot] = [.background]
        for index in content.objects.indices {
            slots += [.shape(index), .colour(index), .texture(index), .size(index)]
        }
        switch content.arrangement {
        case .single: break
        case .list: slots.append(.presence)
        case .count: slots.append(.count)
        case .relation: slots += [.relation, .presence]
        case .motion: slots.append(.direction)
        case .appearance: slots.append(.actor)
        case .recolouring: slots.append(.newColour)
        }
        if content.arrangement.composition.isClip, content.objects.count > 1,
            !slots.contains(.actor)
        {
            slots.append(.actor)
        }
        return slots
    }

    /// Whether mistakes in the slot are common: in what a picture's faults are mostly about.
    var isCommon: Bool {
        switch self {
        case .shape, .size, .texture, .background: false
        default: true
        }
    }

    /// Whether a text with these mentions says anything about the slot.
    func isMentioned(in statement: SceneStatement) -> Bool {
        switch self {
        case .shape(let index): mentions(.shape, of: index, in: statement)
        case .colour(let index): mentions(.colour, of: index, in: statement)
        case .size(let index): mentions(.size, of: index, in: statement)
        case .texture(let index): mentions(.texture, of: index, in: statement)
        case .background: statement.mentionsBackground
        default: true
        }
    }

    private func mentions(_ trait: TraitSet, of index: Int, in statement: SceneStatement) -> Bool {
        statement.mentions.indices.contains(index) && statement.mentions[index].contains(trait)
    }
}

extension SceneContent {
    /// The scene with another value in one slot; nil when no other value is clear and allowed.
    func changing(
        _ slot: SceneSlot,
        in split: SceneSplit,
        using random: inout SeededRandom
    ) -> SceneContent? {
        let changed = alternatives(of: slot).filter { $0.isClear && split.allows($0) }
        return changed.isEmpty ? nil : random.pick(changed)
    }

    /// The scene with each other value of the slot, in a fixed order.
    private func alternatives(of slot: SceneSlot) -> [SceneContent] {
        switch slot {
        case .shape(let index):
            replacing(objects[index].shape) { $0.objects[index].shape = $1 }
        case .colour(let index):
            replacing(objects[index].colour) { $0.objects[index].colour = $1 }
        case .size(let index):
            replacing(objects[index].size) { $0.objects[index].size = $1 }
        case .texture(let index):
            replacing(objects[index].texture) { $0.objects[index].texture = $1 }
        case .background: replacing(background) { $0.background = $1 }
        case .presence: objects.indices.compactMap(removing)
        default: arrangementAlternatives(of: slot).map { replacingArrangement($0) }
        }
    }

    private func replacing<Value: CaseIterable & Equatable>(
        _ value: Value,
        _ write: (inout SceneContent, Value) -> Void
    ) -> [SceneContent] {
        Value.allCases.filter { $0 != value }.map { value in
            var content = self
            write(&content, value)
            return content
        }
    }

    private func removing(_ index: Int) -> SceneContent? {
        guard objects.count > 1 else { return nil }
        var content = self
        content.objects.remove(at: index)
        if content.objects.count == 1 { content.arrangement = .single }
        return content
    }

    private func replacingArrangement(_ arrangement: SceneArrangement) -> SceneContent {
        var content = self
        content.arrangement = arrangement
        return content
    }

    private func arrangementAlternatives(of slot: SceneSlot) -> [SceneArrangement] {
        switch (slot, arrangement) {
        case (.count, .count(let count)):
            return (1...4).filter { $0 != count }.map { .count($0) }
        case (.relation, .relation(let relation)):
            // A swap is the likelier mistake, so it stands twice.
            return [.relation(relation.inverse)]
                + SceneRelation.allCases.filter { $0 != relation }.map { .relation($0) }
        case (.direction, .motion(let direction, let actor)):
            return SceneDirection.allCases.filter { $0 != direction }
                .map { .motion($0, actor: actor) }
        case (.newColour, .recolouring(let colour, let actor)):
            return SceneColour.allCases.filter { $0 != colour }
                .map { .recolouring($0, actor: actor) }
        case (.actor, .motion(let direction, let actor)):
            return [.motion(direction, actor: 1 - actor)]
        case (.actor, .appearance(let actor)):
            return [.appearance(actor: 1 - actor)]
        case (.actor, .recolouring(let colour, let actor)):
            return [.recolouring(colour, actor: 1 - actor)]
        default:
            return []
        }
    }
}
