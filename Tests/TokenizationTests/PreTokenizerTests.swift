import Foundation
import Testing

@testable import Tokenization

private struct RandomCases: Decodable {
    struct Case: Decodable {
        let text: String
        let pieces: [Int]
        let ids: [Int32]
    }
    struct Decoding: Decodable {
        let ids: [Int32]
        let text: String
    }
    let cases: [Case]
    let decodings: [Decoding]
}

/// Made by Tests/Goldens/make_tokenizer_goldens.py.
@Suite("random Unicode text against the reference")
struct PreTokenizerTests {
    private let tokenizer: Tokenizer
    private let golden: RandomCases

    init() throws {
        tokenizer = try Tokenizer(directory: TokenizerGoldens.path + "/llava_ov/hf-bf16")
        let other = ProcessInfo.processInfo.environment["TOKENIZER_CASES"]
        golden = try JSONDecoder().decode(
            RandomCases.self,
            from: Data(
                contentsOf: URL(
                    filePath: other ?? TokenizerGoldens.path + "/tokenizer_cases.json"
                )
            )
        )
    }

    /// Foundation's composition gets both wrong; the standard library's is not public API yet.
    @Test(
        "composes canonically, beyond the basic plane too",
        arguments: [
            ("\u{AC00}\u{11A8}", "\u{AC01}"), ("\u{E0041}\u{301}", "\u{E0041}\u{301}"),
            ("a\u{327}\u{301}", "\u{E1}\u{327}"), ("\u{212B}", "\u{C5}"), ("\u{1}é", "\u{1}é"),
        ]
    )
    func composition(text: String, composed: String) {
        #expect(Normalizer.composed(text).unicodeScalars.elementsEqual(composed.unicodeScalars))
    }

    @Test("long runs of combining marks compose as short ones do")
    func longRunsOfMarks() {
        // Every mark of class 220 goes before those of class 230; the first of these joins 'e'.
        let text = "e" + String(repeating: "\u{301}\u{323}", count: 100) + "x\u{F73}\u{F71}"
        let composed =
            "\u{1EB9}" + String(repeating: "\u{323}", count: 99)
            + String(repeating: "\u{301}", count: 100) + "x\u{F71}\u{F71}\u{F72}"
        #expect(Normalizer.composed(text).unicodeScalars.elementsEqual(composed.unicodeScalars))
    }

    @Test("cuts composed text where the reference's expression does")
    func pieces() {
        #expect(golden.cases.count >= 200)
        for example in golden.cases {
            var text = Normalizer.composed(example.text)
            let lengths = text.withUTF8 { bytes in
                var scanner = PreTokenizer(bytes)
                var lengths: [Int] = []
                while let piece = scanner.next() { lengths.append(piece.count) }
                return lengths
            }
            #expect(lengths == example.pieces, "\(escaped(example.text))")
        }
    }

    @Test("encodes to the reference's ids")
    func ids() {
        for example in golden.cases {
            let ids = tokenizer.encode(example.text, addedTokens: .recognised)
            #expect(ids == example.ids, "\(escaped(example.text))")
        }
    }

    @Test("decodes ill-formed bytes as the reference, at once and id by id")
    func decodings() {
        #expect(golden.decodings.count >= 200)
        for example in golden.decodings {
            let text = tokenizer.decode(example.ids, skippingSpecialTokens: false)
            #expect(
                text.unicodeScalars.elementsEqual(example.text.unicodeScalars),
                "\(example.ids)"
            )
            var decoder = IncrementalDecoder(tokenizer: tokenizer, skippingSpecialTokens: false)
            var joined = ""
            for id in example.ids { joined += decoder.append(id) }
            joined += decoder.finish()
            #expect(joined.unicodeScalars.elementsEqual(text.unicodeScalars), "\(example.ids)")
        }
    }

    private func escaped(_ text: String) -> String {
        text.unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
    }
}
