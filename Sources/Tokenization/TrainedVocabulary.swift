/// A vocabulary that `BytePairTrainer` learned, and the tokenizer.json it becomes.
package struct TrainedVocabulary: Sendable {
    /// Token spellings (`ByteAlphabet`, as UTF-8) by id, without the added tokens.
    var tokens: [[UInt8]]
    /// Ids that are joined, in the order they were learned; the first gives id 256.
    var merges: [(left: Int32, right: Int32)]
    /// Contents of the added tokens; their ids follow those of `tokens`.
    let addedTokens: [String]

    /// How many tokens there are, added ones among them: the rows of a model's embedding.
    package var count: Int { tokens.count + addedTokens.count }

    /// Ids of the added tokens by their contents.
    package var addedTokenIDs: [String: Int32] {
        Dictionary(
            uniqueKeysWithValues: addedTokens.enumerated().map { index, content in
                (content, Int32(tokens.count + index))
            }
        )
    }

    /// The bytes of a tokenizer.json that `Tokenizer` and the Hugging Face `tokenizers` read, in
    /// the layout of Qwen2's.
    package var tokenizerFile: [UInt8] {
        let added = addedTokens.enumerated().map { index, content in
            "{\"id\":\(tokens.count + index),\"content\":\"\(content)\",\"single_word\":false,"
                + "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}"
        }
        let entries = tokens.enumerated().map { id, token in "\(Self.quoted(token)):\(id)" }
        let pairs = merges.map {
            Self.quoted(tokens[Int($0.left)] + [0x20] + tokens[Int($0.right)])
        }
        let split = Self.quoted(Array(TokenizerFile.splitPattern.utf8))
        let byteLevel =
            #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false}"#
        let text = """
            {"version":"1.0","truncation":null,"padding":null,
            "added_tokens":[\(added.joined(separator: ",\n"))],
            "normalizer":{"type":"NFC"},
            "pre_tokenizer":{"type":"Sequence","pretokenizers":[
            {"type":"Split","pattern":{"Regex":\(split)},
            "behavior":"Isolated","invert":false},
            \(byteLevel)]},
            "post_processor":\(byteLevel),
            "decoder":\(byteLevel),
            "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"",
            "end_of_word_suffix":"","fuse_unk":false,"byte_fallback":false,"ignore_merges":false,
            "vocab":{\(entries.joined(separator: ",\n"))},
            "merges":[\(pairs.joined(separator: ",\n"))]}}

            """
        return Array(text.utf8)
    }

    /// A JSON string. Spellings hold no control characters: bytes that do not print have others.
    private static func quoted(_ utf8: [UInt8]) -> String {
        var quoted: [UInt8] = [0x22]
        for byte in utf8 {
            if byte == 0x22 || byte == 0x5C { quoted.append(0x5C) }
            quoted.append(byte)
        }
        return String(decoding: quoted + [0x22], as: UTF8.self)
    }
}
