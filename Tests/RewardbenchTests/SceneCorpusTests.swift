import Foundation
import RewardModeling
import SyntheticScenes
import Testing
import Tokenization

@testable import rewardbench

@Suite("The corpus of a scenes tokenizer")
struct SceneCorpusTests {
    @Test("makes one token of every word that scenes and prompts can use")
    func words() throws {
        let corpus = SceneCorpus(groups: 25, pack: try PromptPack.builtin())
        let directory = try ScratchDirectory()
        let file = corpus.vocabulary(ofAtMost: 8192).tokenizerFile
        try Data(file).write(to: URL(filePath: "\(directory.path)/tokenizer.json"))
        let tokenizer = try Tokenizer(directory: directory.path)
        var unseen: Set<String> = []
        for split in SceneSplit.allCases {
            // Not the corpus's own scenes.
            let generator = SceneGenerator(seed: 77, split: split)
            for index in 0..<15 {
                for ofClips in [false, true] {
                    let group = generator.group(index, ofClips: ofClips)
                    let questions = group.questions.joined()
                    let texts =
                        group.captions.joined().map(\.text) + questions.map(\.text)
                        + questions.flatMap { $0.answers.map(\.text) }
                    for text in texts { unseen.formUnion(Self.words(of: text)) }
                }
            }
        }
        #expect(unseen.count > 90)
        for word in unseen.sorted() {
            #expect(tokenizer.encode(word, addedTokens: .wordsOnly).count == 1, "\"\(word)\"")
        }
    }

    @Test("gives one vocabulary for one seed")
    func seeds() throws {
        let pack = try PromptPack.builtin()
        let one = SceneCorpus(groups: 3, pack: pack).vocabulary(ofAtMost: 400)
        let other = SceneCorpus(groups: 3, pack: pack).vocabulary(ofAtMost: 400)
        #expect(one.tokenizerFile == other.tokenizerFile)
    }

    /// Words with the space before them.
    private static func words(of text: String) -> [String] {
        var words: [String] = []
        for character in text {
            if character == " " {
                words.append(" ")
            } else if character.isLetter {
                if words.isEmpty { words.append("") }
                words[words.count - 1].append(character)
            }
        }
        return words.filter { $0.contains(where: \.isLetter) }
    }
}
