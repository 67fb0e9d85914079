import Foundation
import Testing

@testable import Tokenization

@Suite("tokenizer.json from outside")
struct TokenizerFileTests {
    /// A smaller legal file than the golden one, so that thousands of mutations stay quick.
    private let small: String

    init() {
        let vocabulary = (UInt8.min...UInt8.max).map { byte in
            let spelling = String(decoding: ByteAlphabet.spelling(of: byte), as: UTF8.self)
            let escaped = spelling == "\"" || spelling == "\\" ? "\\" + spelling : spelling
            return "\"\(escaped)\": \(byte)"
        }
        small = """
            {"added_tokens": [{"id": 258, "content": "<|im_end|>", "special": true},
            {"id": 259, "content": "<think>", "special": false, "normalized": true}],
            "normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "Sequence", "pretokenizers":
            [{"type": "Split", "pattern": {"Regex": "\(Self.pattern)"}, "behavior": "Isolated",
            "invert": false}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
            "post_processor": null, "decoder": {"type": "ByteLevel"},
            "model": {"type": "BPE", "merges": ["a b", ["ab", "c"]], "vocab":
            {\(vocabulary.joined(separator: ", ")), "ab": 256, "abc": 257}}}
            """
    }

    private static let pattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"#
        + #" ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"#

    @Test("reads merges as texts and as pairs, and added tokens of all kinds")
    func legal() throws {
        let tokenizer = try make(small)
        #expect(tokenizer.encode("abcab", addedTokens: .recognised) == [257, 256])
        #expect(
            tokenizer.encode("a<think>b<|im_end|>", addedTokens: .recognised)
                == [97, 259, 98, 258].map { $0 < 256 ? byteID($0) : $0 }
        )
        #expect(tokenizer.decode([257, 258, 259], skippingSpecialTokens: true) == "abc<think>")
        #expect(tokenizer.decode([-1, 999_999, 256], skippingSpecialTokens: false) == "ab")
        #expect(tokenizer.vocabularyCount == 260)
    }

    @Test(
        "refuses what it cannot be, naming the place",
        arguments: [
            (#""type": "BPE""#, #""type": "WordPiece""#, "model.type: expected 'BPE'"),
            (#""type": "BPE","#, "", "model.type: expected 'BPE', got nothing"),
            (#"{"type": "NFC"}"#, #"{"type": "NFKC"}"#, "normalizer.type: expected 'NFC'"),
            (#"{"type": "NFC"}"#, "null", "normalizer: expected an object"),
            ("?i:", "", "pre_tokenizer.pretokenizers[0].pattern.Regex: expected"),
            (#""Isolated""#, #""Removed""#, "pretokenizers[0].behavior: expected 'Isolated'"),
            (#""use_regex": false"#, #""use_regex": true"#, "use_regex: expected false, got true"),
            (#"{"type": "ByteLevel"}"#, #"{"type": "WordPiece"}"#, "decoder.type: expected"),
            (#""post_processor": null"#, #""post_processor": {"type": "Bert"}"#, "post_processor"),
            (#""ab": 256"#, #""ab": 255"#, "expected an id of its own, got 255"),
            (#""ab": 256"#, #""ab": -1"#, "expected a token id from 0 to 2097151, got -1"),
            (#""ab": 256"#, #""ab": 2097152"#, "got 2097152"),
            (#""ab": 256"#, #""ab": 1.5"#, "got 1.5"),
            (#""ab": 256"#, #""ab": 256, "ab": 270"#, "expected each token once"),
            (#""!": 33"#, #""!!": 33"#, "expected a token for each of the 256 bytes"),
            (#""a b""#, #""a zz""#, "model.merges[0]: expected tokens of the vocabulary"),
            (#""a b""#, #""a  b""#, "model.merges[0]: expected two tokens"),
            (#""a b""#, "7", "model.merges[0]: expected two tokens"),
            (#"["ab", "c"]"#, #"["ab"]"#, "model.merges[1]: expected two tokens"),
            (#""id": 259"#, #""id": 258"#, "added_tokens[1].id: expected an id that no other"),
            (#""id": 259"#, #""id": 7"#, "added_tokens[1].id: expected an id that no other"),
            (#""id": 259"#, #""id": "x""#, "added_tokens[1].id: expected a token id"),
            (#""<think>""#, #""""#, "added_tokens[1].content: expected a token that is not"),
            (#""<think>""#, #""<|im_end|>""#, "added_tokens[1].content: expected each added"),
            (#""special": true"#, #""lstrip": true"#, "added_tokens[0].lstrip: expected false"),
        ]
    )
    func refusals(original: String, replacement: String, sentence: String) throws {
        let text = small.replacingOccurrences(of: original, with: replacement)
        #expect(text != small)
        #expect {
            try make(text)
        } throws: { error in
            let message = "\(error)"
            return message.hasPrefix("tokenizer.json: ") && message.contains(sentence)
        }
    }

    @Test("refuses text that is not JSON, with the byte's offset")
    func malformed() {
        let nested = String(repeating: "[", count: 100_000)
        for text in ["", "{", "[1,]", "nul", "{\"a\" 1}", "\"\\ud800\"", "01", nested] {
            #expect {
                try make(text)
            } throws: { error in
                "\(error)".hasPrefix("tokenizer.json: not valid JSON at byte ")
            }
        }
    }

    @Test("names a missing file and refuses one that is not a file")
    func missingFile() throws {
        let directory = try TemporaryDirectory([:])
        #expect {
            try Tokenizer(directory: directory.path)
        } throws: { error in
            "\(error)".contains("/tokenizer.json: no such file")
        }
        try FileManager.default.createDirectory(
            atPath: directory.path + "/tokenizer.json",
            withIntermediateDirectories: false
        )
        #expect {
            try Tokenizer(directory: directory.path)
        } throws: { error in
            "\(error)".contains("expected a regular file")
        }
    }

    @Test("every truncation is refused with a sentence")
    func truncations() {
        let bytes = Array(small.utf8)
        for length in stride(from: 0, to: bytes.count, by: 7) {
            #expect(throws: TokenizationError.self, "length \(length)") {
                try TokenizerFile(bytes: Array(bytes[..<length]), name: "tokenizer.json")
            }
        }
    }

    @Test("seeded mutations are read or refused with a sentence, never a crash")
    func mutations() {
        let bytes = Array(small.utf8)
        let seed: UInt64 = 0x5EED_70CE
        var mutator = ByteMutator(seed: seed)
        var refused = 0
        for round in 0..<3000 {
            do {
                let file = try TokenizerFile(bytes: mutator.mutate(bytes), name: "tokenizer.json")
                _ = Tokenizer(file).encode("abc <think>\r\n é", addedTokens: .recognised)
            } catch {
                refused += 1
                #expect(error.description.hasPrefix("tokenizer.json: "), "\(seed), \(round)")
            }
        }
        #expect(refused > 500)
    }

    private func make(_ text: String) throws -> Tokenizer {
        Tokenizer(try TokenizerFile(bytes: Array(text.utf8), name: "tokenizer.json"))
    }

    /// In `small` the id of a byte's token is the byte.
    private func byteID(_ byte: Int32) -> Int32 { byte }
}
