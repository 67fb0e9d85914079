import Testing

@testable import SyntheticScenes

@Suite("Wordings")
struct SceneWordingTests {
    @Test("each composition is said in many ways", arguments: SceneComposition.allCases)
    func patterns(composition: SceneComposition) throws {
        let group = try #require(
            SceneGroupTests.groups.first {
                $0.composition == composition && $0.variants[0].content.objects.count > 1
            } ?? SceneGroupTests.groups.first { $0.composition == composition }
        )
        let content = group.variants[0].content
        var texts: Set<String> = []
        var wording = SceneWording(random: SeededRandom(seed: 4))
        for _ in 0..<200 {
            let mentions = content.objects.map { _ in TraitSet.look }
            texts.insert(
                wording.sentence(SceneStatement(content, mentions: mentions, background: false))
            )
        }
        #expect(texts.count >= 4, "\(texts)")
        for text in texts {
            #expect(text.first?.isUppercase == true)
            #expect(text.hasSuffix(".") && !text.contains("  ") && !text.contains(" ."))
        }
    }

    @Test("texts use the words of the vocabulary, all of them and no others")
    func vocabulary() {
        var texts: Set<String> = []
        for index in 0..<120 {
            let group = SceneGenerator(seed: 2, split: .train)
                .group(index, ofClips: index.isMultiple(of: 2))
            texts.formUnion(group.captions.flatMap { $0.map(\.text) })
            for question in group.questions.joined() {
                texts.insert(question.text)
                texts.formUnion(question.answers.map(\.text))
            }
            texts.formUnion(group.conversationTexts())
        }
        var used: Set<Substring> = []
        for text in texts {
            used.formUnion(text.split { " .,?:\n12345".contains($0) })
        }
        let vocabulary = Set(SceneVocabulary.words.map { Substring($0) })
        #expect(vocabulary.count == SceneVocabulary.words.count && vocabulary.count <= 250)
        // Which words begin a sentence depends on chance.
        let (said, known) = (lowercased(used), lowercased(vocabulary))
        #expect(said.subtracting(known) == [])
        #expect(known.subtracting(said) == [])
    }

    private func lowercased(_ words: Set<Substring>) -> Set<String> {
        Set(words.map { $0.lowercased() })
    }

    @Test("articles and plurals are right")
    func grammar() {
        #expect(NounPhrase.withArticle("object") == "an object")
        #expect(NounPhrase.withArticle("red circle") == "a red circle")
        #expect(NounPhrase.plural("cross") == "crosses")
        #expect(NounPhrase.list(["a", "b", "c"]) == "a, b and c")
        #expect(NounPhrase.list(["a"]) == "a")
    }
}
