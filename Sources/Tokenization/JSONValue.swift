/// One value of a JSON document, with the members of objects in file order.
///
/// Why not JSONDecoder: it hides duplicate keys, it compares keys by canonical equivalence, which a
/// vocabulary must not, and it is no quicker (a file of 60,000 tokens, 4.2 MB: 0.3 s here with all
/// checks and tables).
enum JSONValue: Sendable {
    case null
    case boolean(Bool)
    /// A number written without fraction or exponent that fits 64 bits.
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// The first member of an object with this exact key; nil for anything that is not an object.
    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// The value as an error sentence names it: its type, and itself when short.
    var summary: String {
        switch self {
        case .null: "null"
        case .boolean(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): quoted(value)
        case .array(let values): "an array of \(values.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}

/// One `"key": value` of a JSON object.
struct JSONMember: Sendable {
    let key: String
    let value: JSONValue
}
