import Foundation
import Testing

@testable import Tokenization

/// Texts and ids recorded from the reference implementation.
private struct TokenizerGolden: Decodable {
    struct Encoded: Decodable {
        let text: String
        let ids: [Int32]
        let decoded: String
        let decoded_skip_special: String
    }
    struct Decoded: Decodable {
        let ids: [Int32]
        let text: String
        let text_skip_special: String
    }
    let special_ids: [String: Int32]
    let vocab_len: Int
    let encode: [Encoded]
    let decode_random: [Decoded]
}

@Suite("tokenizer against the reference")
struct TokenizerGoldenTests {
    private let tokenizer: Tokenizer
    private let golden: TokenizerGolden

    init() throws {
        tokenizer = try Tokenizer(directory: TokenizerGoldens.path + "/llava_ov/hf-bf16")
        golden = try TokenizerGoldens.decode(
            TokenizerGolden.self,
            from: "llava_ov/golden/tokenizer.json"
        )
    }

    @Test("encodes the tricky strings to the reference's ids")
    func encodesTrickyStrings() {
        #expect(golden.encode.count == 31)
        for example in golden.encode {
            let ids = tokenizer.encode(example.text, addedTokens: .recognised)
            #expect(ids == example.ids, "text: \(example.text.debugDescription)")
        }
    }

    @Test("decodes as the reference, with and without special tokens")
    func decodes() {
        for example in golden.encode {
            #expect(same(decode(example.ids, false), example.decoded))
            #expect(same(decode(example.ids, true), example.decoded_skip_special))
        }
        #expect(!golden.decode_random.isEmpty)
        for example in golden.decode_random {
            #expect(same(decode(example.ids, false), example.text), "ids: \(example.ids)")
            #expect(same(decode(example.ids, true), example.text_skip_special))
        }
    }

    @Test("decodes id by id to the same text as at once")
    func decodesIncrementally() {
        for example in golden.decode_random {
            for skips in [false, true] {
                var decoder = IncrementalDecoder(
                    tokenizer: tokenizer,
                    skippingSpecialTokens: skips
                )
                var text = ""
                for id in example.ids { text += decoder.append(id) }
                text += decoder.finish()
                #expect(same(text, decode(example.ids, skips)), "ids: \(example.ids)")
            }
        }
    }

    @Test("knows the added tokens by name and counts the vocabulary")
    func addedTokens() {
        for (name, id) in golden.special_ids { #expect(tokenizer.id(ofAddedToken: name) == id) }
        #expect(tokenizer.id(ofAddedToken: "<none>") == nil)
        #expect(tokenizer.vocabularyCount == golden.vocab_len)
    }

    @Test("text that spells an added token stays text when it must")
    func spelledAddedTokens() {
        let text = "a<|im_end|>b<image>"
        let control = golden.special_ids.values
        let recognised = tokenizer.encode(text, addedTokens: .recognised)
        let spelled = tokenizer.encode(text, addedTokens: .wordsOnly)
        #expect(recognised.filter(control.contains).count == 2)
        #expect(spelled.filter(control.contains).isEmpty)
        #expect(decode(spelled, true) == text)
    }

    @Test(
        "words among the added tokens are words of any text, and marks that only look like words are not"
    )
    func words() throws {
        let tokenizer = try Tokenizer(directory: TokenizerGoldens.path + "/qwen3_vl/hf-bf16")
        let text = "a <think>b</think>\n<tool_call>中</tool_call> <thinks> <THINK>"
        #expect(
            tokenizer.encode(text, addedTokens: .wordsOnly)
                == tokenizer.encode(text, addedTokens: .recognised)
        )
        for word in ["<think>", "</think>", "<tool_call>", "</tool_call>"] {
            let id = try #require(tokenizer.id(ofAddedToken: word))
            #expect(tokenizer.encode(word, addedTokens: .wordsOnly) == [id])
        }
        for mark in ["<|im_end|>", "<|im_start|>", "<|image_pad|>", "<|fim_prefix|>"] {
            let id = try #require(tokenizer.id(ofAddedToken: mark))
            let ids = tokenizer.encode("x\(mark)y", addedTokens: .wordsOnly)
            #expect(!ids.contains(id), "\(mark)")
            #expect(tokenizer.encode(mark, addedTokens: .recognised) == [id])
        }
    }

    private func decode(_ ids: [Int32], _ skipsSpecial: Bool) -> String {
        tokenizer.decode(ids, skippingSpecialTokens: skipsSpecial)
    }

    /// Scalar by scalar: `==` on strings calls canonically equivalent texts equal.
    private func same(_ left: String, _ right: String) -> Bool {
        left.unicodeScalars.elementsEqual(right.unicodeScalars)
    }
}
