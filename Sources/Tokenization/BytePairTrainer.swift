/// Learns a byte-level byte-pair vocabulary from texts, by joining the most frequent neighbours
/// again and again (Sennrich et al. 2016, algorithm 1), within the pieces that the Qwen2 rule cuts.
///
/// For the small vocabularies of models trained from nothing. Texts are counted by piece, so their
/// length hardly matters; each merge looks at every distinct piece once. The same texts in any
/// order give the same vocabulary.
///
/// Ids: 0…255 are the single bytes in the order of their spellings, as in GPT-2 and Qwen2 ('!' is
/// 0); then the merges in the order they were learned; then the five added tokens in the order of
/// `addedTokens`, which are therefore always the last five.
package struct BytePairTrainer: Sendable {
    /// What LLaVA-OneVision adds to the vocabulary of Qwen2, all of them special.
    package static let addedTokens = [
        "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>",
    ]

    private var pieceCounts: [[UInt8]: Int] = [:]

    /// A trainer that has seen nothing.
    package init() {}

    /// Counts the pieces of a text `count` times. The text stands without added tokens.
    package mutating func add(_ text: String, count: Int = 1) {
        var composed = Normalizer.composed(text)
        composed.withUTF8 { bytes in
            var pieces = PreTokenizer(bytes)
            while let piece = pieces.next() {
                pieceCounts[Array(bytes[piece]), default: 0] += count
            }
        }
    }

    /// The vocabulary of at most so many tokens, bytes and added tokens among them: fewer when every
    /// piece has become one token before, and never fewer than 261. Among pairs of equal count the
    /// one of the lowest left id, then of the lowest right id, comes first.
    package func vocabulary(ofAtMost count: Int) -> TrainedVocabulary {
        let orderedBytes = (UInt8.min...UInt8.max).sorted {
            // UTF-8 sorts like the characters it encodes.
            ByteAlphabet.spelling(of: $0).lexicographicallyPrecedes(ByteAlphabet.spelling(of: $1))
        }
        var idOfByte = [Int32](repeating: 0, count: 256)
        for (id, byte) in orderedBytes.enumerated() { idOfByte[Int(byte)] = Int32(id) }
        var trained = TrainedVocabulary(
            tokens: orderedBytes.map(ByteAlphabet.spelling(of:)),
            merges: [],
            addedTokens: Self.addedTokens
        )
        var pieces = pieceCounts.map { piece, count in
            (tokens: piece.map { idOfByte[Int($0)] }, count: count)
        }
        while trained.count < count, let pair = Self.commonestPair(in: pieces) {
            let merged = Int32(trained.tokens.count)
            trained.tokens.append(trained.tokens[Int(pair.left)] + trained.tokens[Int(pair.right)])
            trained.merges.append((pair.left, pair.right))
            for index in pieces.indices {
                Self.join(pair, as: merged, in: &pieces[index].tokens)
            }
        }
        return trained
    }

    private struct Pair: Hashable, Comparable {
        let left: Int32
        let right: Int32

        static func < (one: Pair, other: Pair) -> Bool {
            (one.left, one.right) < (other.left, other.right)
        }
    }

    private static func commonestPair(in pieces: [(tokens: [Int32], count: Int)]) -> Pair? {
        var counts: [Pair: Int] = [:]
        for piece in pieces where piece.tokens.count > 1 {
            for index in 1..<piece.tokens.count {
                let pair = Pair(left: piece.tokens[index - 1], right: piece.tokens[index])
                counts[pair, default: 0] += piece.count
            }
        }
        return counts.filter { $0.value > 0 }.max { one, other in
            (one.value, other.key) < (other.value, one.key)
        }?.key
    }

    private static func join(_ pair: Pair, as merged: Int32, in tokens: inout [Int32]) {
        var written = 0
        var index = 0
        while index < tokens.count {
            if index + 1 < tokens.count, tokens[index] == pair.left, tokens[index + 1] == pair.right
            {
                tokens[written] = merged
                index += 2
            } else {
                tokens[written] = tokens[index]
                index += 1
            }
            written += 1
        }
        tokens.removeLast(tokens.count - written)
    }
}
