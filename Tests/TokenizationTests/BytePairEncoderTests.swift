import Foundation
import Testing

@testable import Tokenization

@Suite("byte-pair encoding")
struct BytePairEncoderTests {
    private let tokenizer: Tokenizer
    private let file: TokenizerFile

    init() throws {
        file = try TokenizerFile.read(directory: TokenizerGoldens.path + "/llava_ov/hf-bf16")
        tokenizer = Tokenizer(file)
    }

    /// The definition, quadratic: join the leftmost pair of lowest rank until there is none.
    private func slowTwin(_ text: String) -> [Int32] {
        var ids = text.utf8.map { file.vocabulary[ByteAlphabet.spelling(of: $0)] ?? -1 }
        while true {
            let pairs = zip(ids, ids.dropFirst()).enumerated().compactMap { index, pair in
                file.merges.merge(pair.0, pair.1).map { (rank: $0.rank, index: index, $0.merged) }
            }
            guard let best = pairs.min(by: { ($0.rank, $0.index) < ($1.rank, $1.index) }) else {
                return ids
            }
            ids.replaceSubrange(best.index...best.index + 1, with: [best.2])
        }
    }

    @Test("equals its slow twin on random words, short ones and long ones")
    func slowTwinAgrees() {
        let seed: UInt64 = 0xB9E
        var random = ByteMutator(seed: seed)
        let letters = Array("aaabbcdeeehiilnnoorsstttgmp")
        for round in 0..<300 {
            let count = 1 + random.below(round % 3 == 0 ? 400 : 70)
            let word = String((0..<count).map { _ in letters[random.below(letters.count)] })
            #expect(
                tokenizer.encode(word, addedTokens: .wordsOnly) == slowTwin(word),
                "seed \(seed), round \(round)"
            )
        }
    }

    @Test(
        "long runs of anything take time in proportion",
        arguments: [
            "a", " ", "\n", "\u{301}", "中", "7", "'s", "<", "<|im_", "a\u{301}\u{327}",
            "\u{301}\u{327}", "\u{F73}",
        ]
    )
    func longRuns(unit: String) {
        let clock = ContinuousClock()
        let byteCount = unit == "a" ? 200_000 : 60_000
        let text = String(repeating: unit, count: byteCount / unit.utf8.count)
        var ids: [Int32] = []
        let elapsed = clock.measure {
            ids = tokenizer.encode(text, addedTokens: .recognised)
        }
        #expect(!ids.isEmpty)
        // A quadratic algorithm takes minutes; this takes milliseconds, in a debug build a second.
        #expect(elapsed < .seconds(15), "\(unit.debugDescription): \(elapsed)")
        if unit == "a" {
            #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == text)
        }
    }
}
