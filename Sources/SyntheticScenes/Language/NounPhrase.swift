/// Names objects and backgrounds in words.
enum NounPhrase {
    /// "large striped red circle": what is mentioned, in the usual order, without an article. An
    /// object whose shape is not mentioned is an "object".
    static func bare(
        _ object: ObjectTraits,
        _ mentions: TraitSet,
        isPlural: Bool = false,
        using random: inout SeededRandom
    ) -> String {
        var words: [String] = []
        if mentions.contains(.size) { words.append(word(for: object.size, using: &random)) }
        let hasStripes =
            mentions.contains(.texture) && object.texture == .striped && random.chance(0.3)
        if mentions.contains(.texture), !hasStripes { words.append(object.texture.rawValue) }
        if mentions.contains(.colour) { words.append(object.colour.rawValue) }
        let noun = mentions.contains(.shape) ? object.shape.rawValue : "object"
        words.append(isPlural ? plural(noun) : noun)
        if hasStripes { words.append("with stripes") }
        return words.joined(separator: " ")
    }

    /// "a large red circle".
    static func indefinite(
        _ object: ObjectTraits,
        _ mentions: TraitSet,
        using random: inout SeededRandom
    ) -> String {
        withArticle(bare(object, mentions, using: &random))
    }

    /// "the red circle", in fixed words: for questions, which must name one object.
    static func definite(_ object: ObjectTraits) -> String {
        "the \(object.colour.rawValue) \(object.shape.rawValue)"
    }

    /// "a" or "an" before the words.
    static func withArticle(_ words: String) -> String {
        (words.hasPrefix("o") ? "an " : "a ") + words
    }

    /// "circles", "crosses".
    static func plural(_ noun: String) -> String {
        noun + (noun.hasSuffix("s") ? "es" : "s")
    }

    /// "one" to "four".
    static func number(_ count: Int) -> String {
        let words = ["no", "one", "two", "three", "four"]
        return words.indices.contains(count) ? words[count] : "many"
    }

    /// "small" or "little", "large" or "big".
    static func word(for size: SceneSize, using random: inout SeededRandom) -> String {
        let isUsual = random.chance(0.7)
        return switch size {
        case .small: isUsual ? "small" : "little"
        case .large: isUsual ? "large" : "big"
        }
    }

    /// "to the left of", "left of", "above".
    static func words(for relation: SceneRelation, using random: inout SeededRandom) -> String {
        let isUsual = random.chance(0.6)
        return switch relation {
        case .leftOf: isUsual ? "to the left of" : "left of"
        case .rightOf: isUsual ? "to the right of" : "right of"
        case .above: isUsual ? "above" : "over"
        case .below: isUsual ? "below" : "under"
        }
    }

    /// "a, b and c".
    static func list(_ phrases: [String]) -> String {
        guard let last = phrases.last, phrases.count > 1 else { return phrases.first ?? "" }
        return phrases.dropLast().joined(separator: ", ") + " and " + last
    }

    /// The text with a capital at its beginning.
    static func capitalised(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}
