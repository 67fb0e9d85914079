import Testing

@testable import SyntheticScenes

@Suite("Splits")
struct SceneSplitTests {
    @Test("every colour and shape is held out somewhere, and each pair keeps a texture")
    func heldOut() {
        let test = SceneSplit.test.heldOut
        #expect(Set(test.map(\.colour)).count == 4 && Set(test.map(\.shape)).count == 4)
        #expect(test.count == 4 && SceneSplit.validation.heldOut.count == 4)
        let all = test.union(SceneSplit.validation.heldOut)
        #expect(Set(all.map(\.colour)) == Set(SceneColour.allCases))
        #expect(Set(all.map(\.shape)) == Set(SceneShape.allCases))
        #expect(SceneSplit.train.heldOut.isEmpty)
        for look in SceneSplit.allCases.flatMap(\.heldOut) {
            let other: SceneTexture = look.texture == .plain ? .striped : .plain
            #expect(SceneSplit.train.allows(SceneLook(look.colour, other, look.shape)))
        }
    }

    @Test(
        "pictures, captions, questions and answers keep to the split's looks",
        arguments: SceneSplit.allCases,
        [UInt64(1), 2, 77]
    )
    func looks(split: SceneSplit, seed: UInt64) {
        let generator = SceneGenerator(seed: seed, split: split)
        let forbidden = SceneSplit.allCases.filter { $0 != split }.flatMap(\.heldOut)
        for index in 0..<16 {
            let group = generator.group(index, ofClips: index.isMultiple(of: 2))
            for variant in group.variants {
                #expect(variant.content.looks.isDisjoint(with: forbidden))
            }
            var texts = group.captions.flatMap { $0.map(\.text) }
            for question in group.questions.joined() {
                // The question's subject and the answer's claim name a look together.
                texts += question.answers.map { "\(question.text)|\($0.text)" }
            }
            for text in texts {
                let named = Self.namedLooks(in: text)
                #expect(named.isDisjoint(with: forbidden), "seed \(seed), group \(index): \(text)")
            }
            #expect(
                split == .train
                    || !group.variants[0].content.looks.isDisjoint(with: split.heldOut)
            )
        }
    }

    @Test("no two splits draw the same pictures, whatever their seeds")
    func disjoint() {
        var owner: [UInt64: SceneSplit] = [:]
        for split in SceneSplit.allCases {
            for seed in UInt64(0)..<60 {
                let generator = SceneGenerator(seed: seed, split: split, variantCount: 2)
                for index in 0..<4 {
                    for variant in generator.group(index).variants {
                        let other = owner.updateValue(split, forKey: variant.seed)
                        #expect(other == nil, "seed \(seed), group \(index)")
                    }
                }
            }
        }
    }

    /// Looks that a caption, or a question with its answer after a bar, names: colour and texture beside a
    /// shape, and what question and answer name together.
    static func namedLooks(in text: String) -> Set<SceneLook> {
        let parts = text.lowercased().split(separator: "|").map(String.init)
        var found: Set<SceneLook> = []
        for part in parts { found.formUnion(phrases(in: part)) }
        guard parts.count == 2, !parts[0].hasPrefix("describe"), !parts[0].hasPrefix("what does")
        else { return found }
        // One object is asked about: its colour and shape stand in the question or the answer.
        let answer = words(of: parts[1])
        let all = words(of: parts[0]) + answer
        let textures = answer.compactMap(SceneTexture.init(rawValue:))
        let shapes = SceneShape.allCases.filter { shape in all.contains { isNoun($0, shape) } }
        for colour in Set(all.compactMap(SceneColour.init(rawValue:))) {
            for texture in textures {
                for shape in shapes { found.insert(SceneLook(colour, texture, shape)) }
            }
        }
        return found
    }

    /// "striped red cross" and "red cross with stripes".
    private static func phrases(in text: String) -> Set<SceneLook> {
        let words = words(of: text)
        var found: Set<SceneLook> = []
        for (index, word) in words.enumerated() {
            guard let shape = SceneShape.allCases.first(where: { isNoun(word, $0) }), index > 0,
                let colour = SceneColour(rawValue: words[index - 1])
            else { continue }
            if index > 1, let texture = SceneTexture(rawValue: words[index - 2]) {
                found.insert(SceneLook(colour, texture, shape))
            }
            if words.dropFirst(index + 1).starts(with: ["with", "stripes"]) {
                found.insert(SceneLook(colour, .striped, shape))
            }
        }
        return found
    }

    private static func words(of text: String) -> [String] {
        text.split { !$0.isLetter }.map(String.init)
    }

    private static func isNoun(_ word: String, _ shape: SceneShape) -> Bool {
        word == shape.rawValue || word == NounPhrase.plural(shape.rawValue)
    }
}
