/// Whether text may contain added tokens such as `<|im_start|>`.
package enum AddedTokenPolicy: Sendable {
    /// They are cut out of the text first, as the reference does: for text this program wrote.
    case recognised
    /// Those that are words, such as `<think>`, are cut out as the reference does; those that open or end something
    /// are spelled out like any other text: for text that somebody else wrote.
    case wordsOnly
}

/// The Qwen2 byte-level byte-pair tokenizer of a checkpoint. Encodes and decodes exactly as
/// `tokenizers` does with the same tokenizer.json. Immutable, so it can be shared freely.
package struct Tokenizer: Sendable {
    let vocabulary: Vocabulary
    let addedTokens: AddedTokens
    private let encoder: BytePairEncoder
    private let rawMatchers: Matchers
    private let normalizedMatchers: Matchers

    /// Reads `tokenizer.json` of a checkpoint directory.
    /// Throws a `TokenizationError` that names the file and the place in it.
    package init(directory: String) throws(TokenizationError) {
        self.init(try TokenizerFile.read(directory: directory))
    }

    init(_ file: TokenizerFile) {
        let ids = Array(file.vocabulary.values) + file.addedTokens.map(\.id)
        var tokens: [[UInt8]?] = Array(repeating: nil, count: Int(ids.max() ?? -1) + 1)
        for (spelling, id) in file.vocabulary {
            tokens[Int(id)] = ByteAlphabet.bytes(
                ofToken: String(decoding: spelling, as: UTF8.self)
            )
        }
        for token in file.addedTokens {
            tokens[Int(token.id)] = ByteAlphabet.bytes(ofToken: token.content)
        }
        vocabulary = Vocabulary(
            tokens: tokens,
            specialIDs: file.addedTokens.filter(\.isSpecial).map(\.id)
        )
        addedTokens = AddedTokens(file.addedTokens)
        // The file's reader refuses a vocabulary that lacks any byte.
        let byteTokens = (UInt8.min...UInt8.max).map { byte in
            file.vocabulary[ByteAlphabet.spelling(of: byte)] ?? 0
        }
        encoder = BytePairEncoder(byteTokens: byteTokens, merges: file.merges)
        rawMatchers = Matchers(addedTokens, normalized: false)
        normalizedMatchers = Matchers(addedTokens, normalized: true)
    }

    /// Those that find added tokens before or after normalisation, by policy.
    private struct Matchers: Sendable {
        private let all: AddedTokenMatcher
        private let words: AddedTokenMatcher

        init(_ tokens: AddedTokens, normalized: Bool) {
            all = tokens.matcher(normalized: normalized)
            words = tokens.matcher(normalized: normalized, wordsOnly: true)
        }

        subscript(_ policy: AddedTokenPolicy) -> AddedTokenMatcher {
            switch policy {
            case .recognised: all
            case .wordsOnly: words
            }
        }
    }

    /// How many added tokens are words, which ``AddedTokenPolicy/wordsOnly`` cuts out of text.
    package var addedWordCount: Int { addedTokens.tokens.count { $0.isWord } }

    /// One more than the highest token id. A model's embedding may have more rows than this.
    package var vocabularyCount: Int { vocabulary.count }

    /// The id of an added token by its exact content, `<|im_end|>`; nil when there is none.
    package func id(ofAddedToken name: String) -> Int32? {
        addedTokens.id(of: name)
    }

    /// The token ids of `text`, without any beginning-of-text token.
    package func encode(_ text: String, addedTokens policy: AddedTokenPolicy) -> [Int32] {
        var ids: [Int32] = []
        var text = text
        text.withUTF8 { bytes in
            let matcher = rawMatchers[policy]
            guard !matcher.isEmpty else {
                encodeUnmatched(bytes, policy: policy, into: &ids)
                return
            }
            for segment in matcher.segments(of: bytes) {
                switch segment {
                case .token(let id): ids.append(id)
                case .text(let range):
                    encodeUnmatched(
                        UnsafeBufferPointer(rebasing: bytes[range]),
                        policy: policy,
                        into: &ids
                    )
                }
            }
        }
        return ids
    }

    /// The text of token ids. Bytes that are not UTF-8 become U+FFFD as Python's
    /// `errors="replace"` writes them; ids without a token are skipped.
    /// - skippingSpecialTokens: leaves out added tokens marked special, not the others.
    package func decode(
        _ ids: some Sequence<Int32>,
        skippingSpecialTokens: Bool
    ) -> String {
        var bytes: [UInt8] = []
        for id in ids where !(skippingSpecialTokens && vocabulary.isSpecial(id)) {
            bytes += vocabulary.bytes(of: id)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Normalises a stretch in which no raw added token is left, then encodes it.
    private func encodeUnmatched(
        _ bytes: UnsafeBufferPointer<UInt8>,
        policy: AddedTokenPolicy,
        into ids: inout [Int32]
    ) {
        var composed = Normalizer.composed(String(decoding: bytes, as: UTF8.self))
        composed.withUTF8 { bytes in
            let matcher = normalizedMatchers[policy]
            guard !matcher.isEmpty else {
                encodePieces(of: bytes, into: &ids)
                return
            }
            for segment in matcher.segments(of: bytes) {
                switch segment {
                case .token(let id): ids.append(id)
                case .text(let range):
                    encodePieces(of: UnsafeBufferPointer(rebasing: bytes[range]), into: &ids)
                }
            }
        }
    }

    private func encodePieces(
        of bytes: UnsafeBufferPointer<UInt8>,
        into ids: inout [Int32]
    ) {
        var pieces = PreTokenizer(bytes)
        while let piece = pieces.next() {
            encoder.encode(UnsafeBufferPointer(rebasing: bytes[piece]), into: &ids)
        }
    }
}
