import Testing

@testable import SyntheticScenes

@Suite("Splits")
struct SceneSplitTests {
    @Test("every colour and every shape lacks one partner in training, and no more")
    func heldOut() {
        let heldOut = SceneSplit.allCases.flatMap(\.heldOut)
        #expect(Set(heldOut.map(\.colour)).count == heldOut.count)
        #expect(Set(heldOut.map(\.shape)).count == heldOut.count)
        #expect(SceneSplit.test.heldOut.count == 4)
        #expect(SceneSplit.validation.heldOut.count == 2)
    }

    @Test(
        "pictures, captions, questions and answers keep to the split's combinations",
        arguments: SceneSplit.allCases,
        [UInt64(1), 2, 77]
    )
    func combinations(split: SceneSplit, seed: UInt64) {
        let generator = SceneGenerator(seed: seed, split: split)
        let forbidden = SceneSplit.allCases.filter { $0 != split }.flatMap(\.heldOut)
        for index in 0..<16 {
            let group = generator.group(index, ofClips: index.isMultiple(of: 2))
            for variant in group.variants {
                #expect(variant.content.combinations.isDisjoint(with: forbidden))
            }
            var texts = group.captions.flatMap { $0.map(\.text) }
            for question in group.questions.joined() {
                // The question's subject and the answer's claim name a combination together.
                texts += question.answers.map { "\(question.text) \($0.text)" }
            }
            for text in texts {
                let named = Self.namedCombinations(in: text)
                #expect(named.isDisjoint(with: forbidden), "seed \(seed), group \(index): \(text)")
            }
            #expect(
                split == .train
                    || !group.variants[0].content.combinations.isDisjoint(with: split.heldOut)
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

    /// Colour directly before shape, and "what colour is the SHAPE" with a colour as the answer.
    static func namedCombinations(in text: String) -> Set<SceneCombination> {
        let words = text.lowercased().split { !$0.isLetter }.map(String.init)
        var found: Set<SceneCombination> = []
        for (index, word) in words.enumerated() {
            guard let shape = SceneShape.allCases.first(where: { isNoun(word, $0) }) else {
                continue
            }
            if index > 0, let colour = SceneColour(rawValue: words[index - 1]) {
                found.insert(SceneCombination(colour, shape))
            }
            let asks =
                text.hasPrefix("What colour is the \(word)") || text.contains("colour of the")
            if asks, words.contains(word) {
                for colour in words.compactMap(SceneColour.init(rawValue:)) {
                    found.insert(SceneCombination(colour, shape))
                }
            }
        }
        if text.hasPrefix("What shape"), let colour = words.compactMap(SceneColour.init).first {
            for shape in SceneShape.allCases where words.contains(shape.rawValue) {
                found.insert(SceneCombination(colour, shape))
            }
        }
        return found
    }

    private static func isNoun(_ word: String, _ shape: SceneShape) -> Bool {
        word == shape.rawValue || word == NounPhrase.plural(shape.rawValue)
    }
}
