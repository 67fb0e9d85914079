import JSONReading

/// The content of a checkpoint's tokenizer.json, checked: a Qwen2 byte-level tokenizer and nothing
/// else. What it declares about splitting, normalising and decoding is compared with what this
/// module does, so that another tokenizer is refused instead of being encoded wrongly.
struct TokenizerFile {
    /// Ids index flat tables, so a hostile one must not allocate gigabytes. Real ones stay below
    /// 300,000.
    static let idLimit: Int64 = 1 << 21

    /// Token → id in the file's spelling (`ByteAlphabet`), as UTF-8.
    let vocabulary: [[UInt8]: Int32]
    let merges: MergeTable
    let addedTokens: [AddedToken]

    /// Reads `tokenizer.json` of a checkpoint directory.
    static func read(directory: String) throws(TokenizationError) -> TokenizerFile {
        let file = try CheckpointTextFile.read(directory: directory, name: "tokenizer.json")
        return try TokenizerFile(bytes: file.bytes, name: file.name)
    }

    /// Reads the bytes of a tokenizer.json; `name` is the file name put into errors.
    init(bytes: [UInt8], name: String) throws(TokenizationError) {
        let root = JSONField(file: name, root: try CheckpointTextFile.parse(bytes, file: name))
        try Self.checkNormalizer(root.member("normalizer"))
        try Self.checkPreTokenizer(root.member("pre_tokenizer"))
        try Self.checkPostProcessor(root.member("post_processor"))
        _ = try root.member("decoder").member("type").oneOf(["ByteLevel"])
        let model = try root.member("model")
        try Self.checkModel(model)
        let vocabulary = try Self.readVocabulary(model.member("vocab"))
        self.vocabulary = vocabulary
        merges = try Self.readMerges(model.member("merges"), vocabulary: vocabulary)
        addedTokens = try Self.readAddedTokens(root.member("added_tokens"), vocabulary: vocabulary)
    }

    // MARK: - What the file says it does

    /// `(?i:…)` and the other alternatives in the order `PreTokenizer` implements.
    static let splitPattern =
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"#
        + #"\s*[\r\n]+|\s+(?!\S)|\s+"#

    private static func checkNormalizer(_ field: JSONField) throws(TokenizationError) {
        for step in try steps(of: field, list: "normalizers") {
            _ = try step.member("type").oneOf(["NFC"])
        }
    }

    private static func checkPreTokenizer(_ field: JSONField) throws(TokenizationError) {
        let steps = try steps(of: field, list: "pretokenizers")
        guard steps.count == 2 else {
            throw field.unsupported(expected: "a sequence of 'Split' and 'ByteLevel'")
        }
        _ = try steps[0].member("type").oneOf(["Split"])
        _ = try steps[0].member("pattern").member("Regex").oneOf([splitPattern])
        _ = try steps[0].member("behavior").oneOf(["Isolated"])
        try requireFalse(steps[0].member("invert"))
        _ = try steps[1].member("type").oneOf(["ByteLevel"])
        try requireFalse(steps[1].member("add_prefix_space"), absent: true)
        try requireFalse(steps[1].member("use_regex"), absent: true)
    }

    /// A ByteLevel post-processor moves offsets only; any other adds tokens.
    private static func checkPostProcessor(_ field: JSONField) throws(TokenizationError) {
        if case .null = field.value { return }
        for step in try steps(of: field, list: "processors") {
            _ = try step.member("type").oneOf(["ByteLevel"])
        }
    }

    /// A stage by itself, or the stages of a `Sequence`, which says the same.
    private static func steps(
        of field: JSONField,
        list: String
    ) throws(TokenizationError) -> [JSONField] {
        guard case .object = field.value else { throw field.unsupported(expected: "an object") }
        guard case .string("Sequence")? = field.value["type"] else { return [field] }
        let steps = try field.member(list).elements()
        if steps.isEmpty { throw field.unsupported(expected: "at least one stage") }
        return steps
    }

    private static func requireFalse(
        _ field: JSONField,
        absent: Bool = false
    ) throws(TokenizationError) {
        if try field.boolean(absent: absent) { throw field.unsupported(expected: "false") }
    }

    private static func checkModel(_ model: JSONField) throws(TokenizationError) {
        _ = try model.member("type").oneOf(["BPE"])
        for key in ["byte_fallback", "ignore_merges"] { try requireFalse(model.member(key)) }
        for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
            let affix = try model.member(key)
            switch affix.value {
            case .null, .string(""): break
            default: throw affix.unsupported(expected: "null or an empty string")
            }
        }
        let dropout = try model.member("dropout")
        guard dropout.value == .null || dropout.value.double == 0 else {
            throw dropout.unsupported(expected: "null or 0")
        }
    }

    // MARK: - What the file contains

    private static func readVocabulary(
        _ field: JSONField
    ) throws(TokenizationError) -> [[UInt8]: Int32] {
        guard case .object(let members) = field.value else {
            throw field.invalid(expected: "an object of token to id")
        }
        var vocabulary: [[UInt8]: Int32] = Dictionary(minimumCapacity: members.count)
        var tokenByID: [Int32: String] = Dictionary(minimumCapacity: members.count)
        for member in members {
            let path = "\(field.path)[\(quoted(member.name))]"
            guard let number = member.value.integer, number >= 0, number < idLimit else {
                throw .invalidField(
                    file: field.file,
                    path: path,
                    expected: "a token id from 0 to \(idLimit - 1)",
                    got: member.value.summary
                )
            }
            let id = Int32(number)
            if let other = tokenByID.updateValue(member.name, forKey: id) {
                throw .invalidField(
                    file: field.file,
                    path: path,
                    expected: "an id of its own",
                    got: "\(id), which \(quoted(other)) has too"
                )
            }
            if vocabulary.updateValue(id, forKey: Array(member.name.utf8)) != nil {
                throw .invalidField(
                    file: field.file,
                    path: path,
                    expected: "each token once",
                    got: "it twice"
                )
            }
        }
        for byte in UInt8.min...UInt8.max
        where vocabulary[ByteAlphabet.spelling(of: byte)] == nil {
            throw .invalidField(
                file: field.file,
                path: field.path,
                expected: "a token for each of the 256 bytes",
                got: "none for byte \(byte)"
            )
        }
        return vocabulary
    }

    private static func readMerges(
        _ field: JSONField,
        vocabulary: [[UInt8]: Int32]
    ) throws(TokenizationError) -> MergeTable {
        guard case .array(let values) = field.value else {
            throw field.invalid(expected: "an array of merges")
        }
        var table = MergeTable(count: values.count)
        for (rank, value) in values.enumerated() {
            let path = "\(field.path)[\(rank)]"
            guard let (left, right) = parts(of: value) else {
                throw .invalidField(
                    file: field.file,
                    path: path,
                    expected: "two tokens, as 'a b' or [\"a\", \"b\"]",
                    got: value.summary
                )
            }
            guard let leftID = vocabulary[left], let rightID = vocabulary[right],
                let merged = vocabulary[left + right]
            else {
                throw .invalidField(
                    file: field.file,
                    path: path,
                    expected: "tokens of the vocabulary that join to one of it",
                    got: quoted(String(decoding: left + [0x20] + right, as: UTF8.self))
                )
            }
            table.insert(
                left: leftID,
                right: rightID,
                merge: MergeTable.Merge(rank: UInt32(rank), merged: merged)
            )
        }
        return table
    }

    /// Older files write a merge as "a b", newer ones as ["a", "b"].
    private static func parts(of value: JSONNode) -> (left: [UInt8], right: [UInt8])? {
        switch value {
        case .string(let text):
            let parts = text.utf8.split(separator: 0x20, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            return (Array(parts[0]), Array(parts[1]))
        case .array(let values):
            guard values.count == 2, case .string(let left) = values[0],
                case .string(let right) = values[1], !left.isEmpty, !right.isEmpty
            else { return nil }
            return (Array(left.utf8), Array(right.utf8))
        default:
            return nil
        }
    }

    private static func readAddedTokens(
        _ field: JSONField,
        vocabulary: [[UInt8]: Int32]
    ) throws(TokenizationError) -> [AddedToken] {
        if case .null = field.value { return [] }
        let learned = Set(vocabulary.values)
        var contentByID: [Int32: String] = [:]
        var contents: Set<[UInt8]> = []
        var tokens: [AddedToken] = []
        for element in try field.elements() {
            let content = try element.member("content").string()
            if content.isEmpty {
                throw try element.member("content").invalid(expected: "a token that is not empty")
            }
            let idField = try element.member("id")
            let id = try idField.tokenID()
            let bytes = Array(content.utf8)
            let isTaken = vocabulary[bytes].map { $0 != id } ?? learned.contains(id)
            if contentByID.updateValue(content, forKey: id) != nil || isTaken {
                throw idField.invalid(expected: "an id that no other token has")
            }
            if !contents.insert(bytes).inserted {
                throw try element.member("content").invalid(expected: "each added token once")
            }
            for key in ["single_word", "lstrip", "rstrip"] {
                try requireFalse(element.member(key))
            }
            tokens.append(
                AddedToken(
                    id: id,
                    content: content,
                    isSpecial: try element.member("special").boolean(absent: false),
                    isNormalized: try element.member("normalized").boolean(absent: false)
                )
            )
        }
        return tokens
    }
}
