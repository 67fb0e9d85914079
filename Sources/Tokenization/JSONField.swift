import JSONReading

/// A JSON value together with where it stands, so that every complaint can name the place:
/// `model.merges[17]`.
struct JSONField {
    let file: String
    /// From the document's root, `added_tokens[2].id`; the root itself is `the document`.
    let path: String
    let value: JSONNode

    /// The root of a document.
    init(file: String, root: JSONNode) {
        self.init(file: file, path: "", value: root)
    }

    private init(file: String, path: String, value: JSONNode) {
        self.file = file
        self.path = path
        self.value = value
    }

    /// A member of an object; `null` when it has none of that name. Throws unless this is an object.
    func member(_ key: String) throws(TokenizationError) -> JSONField {
        guard case .object = value else { throw invalid(expected: "an object") }
        return JSONField(
            file: file,
            path: path.isEmpty ? key : "\(path).\(key)",
            value: value[key] ?? .null
        )
    }

    /// The elements of an array. Throws unless this is one.
    func elements() throws(TokenizationError) -> [JSONField] {
        guard case .array(let values) = value else { throw invalid(expected: "an array") }
        return values.enumerated().map { index, value in
            JSONField(file: file, path: "\(path)[\(index)]", value: value)
        }
    }

    func string() throws(TokenizationError) -> String {
        guard case .string(let text) = value else { throw invalid(expected: "a string") }
        return text
    }

    /// An optional boolean: `null` and absent are `absent`.
    func boolean(absent: Bool) throws(TokenizationError) -> Bool {
        switch value {
        case .null: return absent
        case .bool(let flag): return flag
        default: throw invalid(expected: "true or false")
        }
    }

    /// A token id: a whole number that is not negative and small enough to index a table.
    func tokenID() throws(TokenizationError) -> Int32 {
        guard let number = value.integer, number >= 0, number < TokenizerFile.idLimit else {
            throw invalid(expected: "a token id from 0 to \(TokenizerFile.idLimit - 1)")
        }
        return Int32(number)
    }

    /// Throws `unsupported` unless the value is one of the texts; returns which.
    func oneOf(_ texts: [String]) throws(TokenizationError) -> String {
        if case .string(let text) = value, texts.contains(text) { return text }
        throw unsupported(expected: texts.map { "'\($0)'" }.joined(separator: " or "))
    }

    func invalid(expected: String) -> TokenizationError {
        .invalidField(file: file, path: shownPath, expected: expected, got: shownValue)
    }

    func unsupported(expected: String) -> TokenizationError {
        .unsupported(file: file, path: shownPath, expected: expected, got: shownValue)
    }

    private var shownPath: String { path.isEmpty ? "the document" : path }

    private var shownValue: String {
        if case .null = value { return "nothing" }
        return value.summary
    }
}

extension JSONNode {
    /// The value as an error sentence names it: its type, and itself when short.
    var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let value): value
        case .string(let value): quoted(value)
        case .array(let values): "an array of \(values.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}
