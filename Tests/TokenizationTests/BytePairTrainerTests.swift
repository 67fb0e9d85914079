import Foundation
import Testing

@testable import Tokenization

@Suite("Training a byte-pair vocabulary")
struct BytePairTrainerTests {
    private static let sentences = [
        "A large red circle is to the left of a small blue square.",
        "There are three striped yellow triangles on a dark blue background.",
        "Image 1 is better than Image 2.", "Final Score: 5", "What colour is the ring?\nIt is red.",
    ]

    private func tokenizer(_ trained: TrainedVocabulary) throws -> Tokenizer {
        Tokenizer(try TokenizerFile(bytes: trained.tokenizerFile, name: "tokenizer.json"))
    }

    private func trained(_ texts: [String], ofAtMost count: Int) -> TrainedVocabulary {
        var trainer = BytePairTrainer()
        for text in texts { trainer.add(text) }
        return trainer.vocabulary(ofAtMost: count)
    }

    @Test("the file is read by Tokenizer and gives back what was encoded", arguments: sentences)
    func roundTrip(sentence: String) throws {
        let trained = trained(Self.sentences, ofAtMost: 500)
        let tokenizer = try tokenizer(trained)
        #expect(tokenizer.vocabularyCount == trained.count)
        for text in [sentence, "Zoë's ½ “quote” \\ \" 漢字\u{1F600}\t\r\n  end", ""] {
            let ids = tokenizer.encode(text, addedTokens: .wordsOnly)
            #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == text)
        }
    }

    @Test("with room enough every word that was seen becomes one token")
    func wholeWords() throws {
        let tokenizer = try tokenizer(trained(Self.sentences, ofAtMost: 2000))
        for sentence in Self.sentences {
            let words = sentence.split { !$0.isLetter }
            for word in words where sentence.contains(" \(word)") {
                #expect(tokenizer.encode(" \(word)", addedTokens: .wordsOnly).count == 1, "\(word)")
            }
        }
    }

    @Test("bytes come first, added tokens last, in the documented order")
    func ids() throws {
        let trained = trained(Self.sentences, ofAtMost: 300)
        #expect(trained.count == 300)
        let tokenizer = try tokenizer(trained)
        #expect(tokenizer.encode("!", addedTokens: .wordsOnly) == [0])
        for (index, name) in BytePairTrainer.addedTokens.enumerated() {
            let id = Int32(295 + index)
            #expect(trained.addedTokenIDs[name] == id)
            #expect(tokenizer.id(ofAddedToken: name) == id)
            #expect(tokenizer.encode(name, addedTokens: .recognised) == [id])
            #expect(tokenizer.decode([id], skippingSpecialTokens: true) == "")
        }
        #expect(BytePairTrainer.addedTokens.first == "<|endoftext|>")
    }

    @Test("merges follow the counts, and ties the ids")
    func order() throws {
        var trainer = BytePairTrainer()
        trainer.add("ab", count: 3)
        trainer.add("cd", count: 5)
        trainer.add("ef", count: 3)
        let trained = trainer.vocabulary(ofAtMost: 264)
        let spellings = trained.tokens[256...].map { String(decoding: $0, as: UTF8.self) }
        #expect(spellings == ["cd", "ab", "ef"])
    }

    @Test("the order of the texts changes nothing")
    func deterministic() {
        let one = trained(Self.sentences, ofAtMost: 400).tokenizerFile
        let other = trained(Self.sentences.reversed(), ofAtMost: 400).tokenizerFile
        #expect(one == other)
    }

    @Test(
        "nothing to learn from gives the bytes and the added tokens",
        arguments: [-1, 0, 261, 900]
    )
    func nothing(count: Int) throws {
        let trained = BytePairTrainer().vocabulary(ofAtMost: count)
        #expect(trained.count == 261)
        _ = try tokenizer(trained)
    }

    @Test("overlapping neighbours join from the left, as the encoder does")
    func overlaps() throws {
        for length in 1...40 {
            let text = String(repeating: "a", count: length)
            let tokenizer = try tokenizer(trained([text, "aaab aab"], ofAtMost: 270))
            let ids = tokenizer.encode(text, addedTokens: .wordsOnly)
            #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == text)
        }
    }
}
