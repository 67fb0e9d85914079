/// One bind value as it goes to the server.
package enum QueryParameter: Sendable, Equatable {
    case null
    /// UTF-8 text; the server infers the type from where the value stands.
    case text([UInt8])
    /// A `bytea` in binary form.
    case bytea([UInt8])

    /// The type's OID for PQsendQueryParams: 0 lets the server infer it, 17 is bytea.
    var typeOID: UInt32 {
        switch self {
        case .null, .text: 0
        case .bytea: 17
        }
    }

    static func text(_ string: String) -> QueryParameter { .text(Array(string.utf8)) }

    /// Non-finite numbers in PostgreSQL's spelling.
    static func number(_ value: Double) -> QueryParameter {
        if value.isNaN { return .text("NaN") }
        if value.isInfinite { return .text(value < 0 ? "-Infinity" : "Infinity") }
        return .text(value.description)
    }
}
