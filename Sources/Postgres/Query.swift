/// A statement and its bind values, written as one string literal: `"SELECT f(\(id), \(name))"`
/// becomes `SELECT f($1, $2)` with two values. A value never becomes part of the statement's text,
/// so it cannot inject.
///
/// The server infers the type of each value from where it stands; write `\(x)::int` where it
/// cannot.
package struct Query: Sendable, Equatable, ExpressibleByStringInterpolation {
    /// The text with `$1`, `$2`, … in place of values.
    package let sql: String
    package let parameters: [QueryParameter]

    /// A statement without values, from the source.
    package init(stringLiteral sql: String) {
        self.sql = sql
        parameters = []
    }

    package init(stringInterpolation: StringInterpolation) {
        sql = stringInterpolation.sql
        parameters = stringInterpolation.parameters
    }

    /// A statement whose text is read from a file of the package (a migration): values are not
    /// possible.
    package init(script sql: String) {
        self.sql = sql
        parameters = []
    }
}

// MARK: - StringInterpolation

extension Query {
    /// Collects the statement's text and its values.
    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = ""
        fileprivate var parameters: [QueryParameter] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            sql.reserveCapacity(literalCapacity + interpolationCount * 3)
            parameters.reserveCapacity(interpolationCount)
        }

        package mutating func appendLiteral(_ literal: String) {
            sql += literal
        }

        package mutating func appendInterpolation(_ value: Int?) {
            bind(value.map { .text(String($0)) })
        }

        package mutating func appendInterpolation(_ value: Int32?) {
            bind(value.map { .text(String($0)) })
        }

        package mutating func appendInterpolation(_ value: Int64?) {
            bind(value.map { .text(String($0)) })
        }

        package mutating func appendInterpolation(_ value: String?) {
            bind(value.map { .text($0) })
        }

        package mutating func appendInterpolation(_ value: Bool?) {
            bind(value.map { .text($0 ? "true" : "false") })
        }

        package mutating func appendInterpolation(_ value: Double?) {
            bind(value.map { .number($0) })
        }

        /// A `bytea`.
        package mutating func appendInterpolation(_ value: [UInt8]?) {
            bind(value.map { .bytea($0) })
        }

        /// A `text[]`.
        package mutating func appendInterpolation(_ value: [String]?) {
            bind(value.map { .text(ArrayText.encode($0)) })
        }

        /// A `text[]` with NULLs among its elements.
        package mutating func appendInterpolation(_ value: [String?]) {
            bind(.text(ArrayText.encode(value)))
        }

        /// A `bytea[]`.
        package mutating func appendInterpolation(_ value: [[UInt8]]?) {
            bind(value.map { .text(ArrayText.encode(bytes: $0)) })
        }

        /// A `bigint[]`.
        package mutating func appendInterpolation(_ value: [Int64]?) {
            bind(value.map { .text(ArrayText.encode($0.map { String($0) })) })
        }

        /// A `bigint[]`.
        package mutating func appendInterpolation(_ value: [Int]?) {
            bind(value.map { .text(ArrayText.encode($0.map { String($0) })) })
        }

        /// JSON that is already encoded as UTF-8, for a `json` or `jsonb` argument.
        package mutating func appendInterpolation(json value: [UInt8]?) {
            bind(value.map { .text($0) })
        }

        /// JSON that is already encoded, for a `json` or `jsonb` argument.
        package mutating func appendInterpolation(json value: String?) {
            bind(value.map { .text($0) })
        }

        /// The name of a table, channel, role …: quoted, so that it is one name whatever it
        /// contains.
        package mutating func appendInterpolation(identifier: String) {
            sql += Query.quoted(identifier: identifier)
        }

        /// Part of the statement's text that is itself a constant of the source.
        package mutating func appendInterpolation(raw: StaticString) {
            sql += raw.description
        }

        private mutating func bind(_ parameter: QueryParameter?) {
            parameters.append(parameter ?? .null)
            sql += "$\(parameters.count)"
        }
    }

    /// A name in double quotes, inner quotes doubled.
    package static func quoted(identifier: String) -> String {
        var text = "\""
        for scalar in identifier.unicodeScalars {
            if scalar == "\"" { text += "\"" }
            text.unicodeScalars.append(scalar)
        }
        return text + "\""
    }
}
