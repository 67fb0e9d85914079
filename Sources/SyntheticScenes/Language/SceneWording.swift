/// Puts statements into words, in several patterns for each composition, chosen by the seed.
struct SceneWording {
    var random: SeededRandom

    /// One sentence that says the statement.
    mutating func sentence(_ statement: SceneStatement) -> String {
        let text =
            switch statement.content.arrangement {
            case .relation(let relation): relationText(statement, relation)
            case .count(let count): countText(statement, count)
            case .single, .list: listText(statement)
            case .motion(let direction, let actor): motionText(statement, direction, actor)
            case .appearance(let actor): appearanceText(statement, actor)
            case .recolouring(let colour, let actor): recolouringText(statement, colour, actor)
            }
        return NounPhrase.capitalised(text) + background(statement) + "."
    }

    // MARK: - Pictures

    private mutating func listText(_ statement: SceneStatement) -> String {
        let named = random.shuffled(Array(statement.content.objects.indices)).map {
            phrase(statement, $0)
        }
        let isMany = named.count > 1
        return shown(NounPhrase.list(named), isMany: isMany)
    }

    private mutating func countText(_ statement: SceneStatement, _ count: Int) -> String {
        guard let object = statement.content.objects.first else { return "nothing" }
        let noun = NounPhrase.bare(
            object,
            statement.mentions.first ?? .look,
            isPlural: count > 1,
            using: &random
        )
        return shown("\(NounPhrase.number(count)) \(noun)", isMany: count > 1)
    }

    private mutating func shown(_ phrase: String, isMany: Bool) -> String {
        switch random.below(6) {
        case 0: "a picture of \(phrase)"
        case 1: phrase
        case 2: "the picture shows \(phrase)"
        case 3: "you can see \(phrase)"
        default: (isMany ? "there are " : "there is ") + phrase
        }
    }

    private mutating func relationText(
        _ statement: SceneStatement,
        _ relation: SceneRelation
    ) -> String {
        let isTurned = random.chance(0.4)
        let one = phrase(statement, isTurned ? 1 : 0)
        let other = phrase(statement, isTurned ? 0 : 1)
        let place = NounPhrase.words(for: isTurned ? relation.inverse : relation, using: &random)
        return switch random.below(6) {
        case 0: "a picture of \(one) \(place) \(other)"
        case 1: "\(one) \(place) \(other)"
        case 2: "there is \(one) \(place) \(other)"
        case 3: "the picture shows \(one) \(place) \(other)"
        default: "\(one) is \(place) \(other)"
        }
    }

    // MARK: - Clips

    private mutating func motionText(
        _ statement: SceneStatement,
        _ direction: SceneDirection,
        _ actor: Int
    ) -> String {
        let one = phrase(statement, actor)
        let place = words(for: direction)
        let text =
            switch random.below(5) {
            case 0: "the video shows \(one) moving \(place)"
            case 1: "a video of \(one) moving \(place)"
            case 2: "\(one) goes \(place)"
            default: "\(one) moves \(place)"
            }
        return text + bystander(statement, actor)
    }

    /// "to the left", "left", "up".
    mutating func words(for direction: SceneDirection) -> String {
        switch direction {
        case .left: random.chance(0.5) ? "to the left" : "left"
        case .right: random.chance(0.5) ? "to the right" : "right"
        case .up: "up"
        case .down: "down"
        }
    }

    private mutating func appearanceText(_ statement: SceneStatement, _ actor: Int) -> String {
        let one = phrase(statement, actor)
        let other = phrase(statement, 1 - actor)
        return switch random.below(6) {
        case 0: "\(one) appears before \(other)"
        case 1: "\(other) appears after \(one)"
        case 2: "\(one) appears, then \(other)"
        case 3: "the video shows first \(one), then \(other)"
        case 4: "first there is \(one), then \(other) appears"
        default: "first \(one) appears, then \(other)"
        }
    }

    private mutating func recolouringText(
        _ statement: SceneStatement,
        _ colour: SceneColour,
        _ actor: Int
    ) -> String {
        let mentions = statement.mentions[actor]
        let object = statement.content.objects[actor]
        let text: String
        if mentions.contains(.colour), random.chance(0.5) {
            let noun = NounPhrase.indefinite(
                object,
                mentions.subtracting(.colour),
                using: &random
            )
            let change = "from \(object.colour.rawValue) to \(colour.rawValue)"
            text =
                random.chance(0.7)
                ? "\(noun) changes \(change)" : "the colour of \(noun) changes \(change)"
        } else {
            let one = phrase(statement, actor)
            switch random.below(4) {
            case 0: text = "\(one) becomes \(colour.rawValue)"
            case 1: text = "the video shows \(one) turning \(colour.rawValue)"
            default: text = "\(one) turns \(colour.rawValue)"
            }
        }
        return text + bystander(statement, actor)
    }

    // MARK: - Parts

    private mutating func phrase(_ statement: SceneStatement, _ index: Int) -> String {
        NounPhrase.indefinite(
            statement.content.objects[index],
            statement.mentions[index],
            using: &random
        )
    }

    /// The object that stands still, if the statement mentions it.
    private mutating func bystander(_ statement: SceneStatement, _ actor: Int) -> String {
        guard statement.content.objects.count > 1, statement.mentions[1 - actor] != [] else {
            return ""
        }
        let link = random.chance(0.6) ? "while" : "and"
        return " \(link) \(phrase(statement, 1 - actor)) stands still"
    }

    private mutating func background(_ statement: SceneStatement) -> String {
        guard statement.mentionsBackground else { return "" }
        let name = statement.content.background.rawValue
        return switch random.below(4) {
        case 0: " in front of a \(name) background"
        case 1 where !statement.content.arrangement.composition.isClip:
            ", and the background is \(name)"
        default: " on a \(name) background"
        }
    }
}
