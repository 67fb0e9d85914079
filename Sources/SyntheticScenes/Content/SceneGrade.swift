/// One thing in which a picture differs from a text.
package enum SceneDifference: Hashable, Sendable {
    case shape, colour, size, texture
    case count, relation, background
    case direction, actor, newColour
    /// The text names an object that is not there.
    case missingObject
    /// There is an object that a text which names all does not name.
    case extraObject

    /// How many grades the difference costs: 1, and 2 for a whole object.
    package var cost: Int {
        switch self {
        case .missingObject, .extraObject: 2
        default: 1
        }
    }

    /// The difference in words for people, as in "wrong colour".
    package var reason: String {
        switch self {
        case .shape: "wrong shape"
        case .colour: "wrong colour"
        case .size: "wrong size"
        case .texture: "wrong texture"
        case .count: "wrong number"
        case .relation: "wrong place"
        case .background: "wrong background"
        case .direction: "wrong direction"
        case .actor: "wrong object acts"
        case .newColour: "wrong new colour"
        case .missingObject: "object missing"
        case .extraObject: "one object too many"
        }
    }
}

/// How well a picture or clip serves a text: 5 is all right, 1 the worst.
package struct SceneGrade: Hashable, Sendable {
    /// What is wrong in the slots that the text mentions.
    package let differences: [SceneDifference]
    /// How the picture itself is spoilt.
    package let quality: SceneQuality

    /// The grade, 1…5: each difference costs one grade, a missing or extra object two, a fault of
    /// quality its severity; the floor is 1.
    package var value: Int {
        max(1, 5 - differences.reduce(0) { $0 + $1.cost } - quality.severity)
    }

    /// The reasons in words, as in "wrong colour, mild blur"; "all right" when there are none.
    package var reason: String {
        var reasons = differences.map(\.reason)
        if let fault = quality.reason { reasons.append(fault) }
        return reasons.isEmpty ? "all right" : reasons.joined(separator: ", ")
    }

    /// Grades a scene of this content and quality against a text.
    package init(_ statement: SceneStatement, shownBy content: SceneContent, quality: SceneQuality)
    {
        differences = Self.differences(between: statement, and: content)
        self.quality = quality
    }

    /// The fewest differences over all ways to take the scene's objects for the text's: "a circle
    /// left of a square" and "a square right of a circle" say the same, and two swapped colours may
    /// as well be a swapped place.
    static func differences(
        between statement: SceneStatement,
        and content: SceneContent
    ) -> [SceneDifference] {
        let places = max(statement.content.objects.count, content.objects.count)
        var best: [SceneDifference]?
        var leastCost = Int.max
        for order in orders(of: places) {
            let found = differences(between: statement, and: content, taking: order)
            let cost = found.reduce(0) { $0 + $1.cost }
            if cost < leastCost {
                leastCost = cost
                best = found
            }
        }
        return best ?? []
    }

    /// `order[i]` is the scene's object that is taken for the text's object `i`; places beyond
    /// either list hold no object.
    private static func differences(
        between statement: SceneStatement,
        and content: SceneContent,
        taking order: [Int]
    ) -> [SceneDifference] {
        var found: [SceneDifference] = []
        for (place, index) in order.enumerated() {
            let isNamed = place < statement.mentions.count && !statement.mentions[place].isEmpty
            let isShown = index < content.objects.count
            if isNamed, isShown {
                found += differences(
                    between: statement.content.objects[place],
                    and: content.objects[index],
                    in: statement.mentions[place]
                )
            } else if isNamed {
                found.append(.missingObject)
            } else if isShown, statement.namesAllObjects {
                found.append(.extraObject)
            }
        }
        found += differences(
            between: statement.content.arrangement,
            and: content.arrangement,
            taking: order
        )
        if statement.mentionsBackground, statement.content.background != content.background {
            found.append(.background)
        }
        return found
    }

    private static func differences(
        between said: ObjectTraits,
        and shown: ObjectTraits,
        in mentions: TraitSet
    ) -> [SceneDifference] {
        var found: [SceneDifference] = []
        if mentions.contains(.shape), said.shape != shown.shape { found.append(.shape) }
        if mentions.contains(.colour), said.colour != shown.colour { found.append(.colour) }
        if mentions.contains(.size), said.size != shown.size { found.append(.size) }
        if mentions.contains(.texture), said.texture != shown.texture { found.append(.texture) }
        return found
    }

    /// Arrangements of different compositions differ by objects missing or too many, which are
    /// counted as such.
    private static func differences(
        between said: SceneArrangement,
        and shown: SceneArrangement,
        taking order: [Int]
    ) -> [SceneDifference] {
        var found: [SceneDifference] = []
        switch (said, shown) {
        case (.count(let one), .count(let other)):
            if one != other { found.append(.count) }
        case (.relation(let one), .relation(let other)):
            let seen = order.first == 0 ? other : other.inverse
            if one != seen { found.append(.relation) }
        case (.motion(let one, _), .motion(let other, _)):
            if one != other { found.append(.direction) }
        case (.recolouring(let one, _), .recolouring(let other, _)):
            if one != other { found.append(.newColour) }
        default: break
        }
        if let one = said.actor, let other = shown.actor, order[one] != other {
            found.append(.actor)
        }
        return found
    }

    /// All orders of the first `count` numbers; scenes have at most three objects to tell apart.
    private static func orders(of count: Int) -> [[Int]] {
        guard count > 0 else { return [[]] }
        return orders(of: count - 1).flatMap { order in
            (0..<count).reversed().map { place in
                var order = order
                order.insert(count - 1, at: place)
                return order
            }
        }
    }
}
