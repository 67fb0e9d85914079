/// One row of a result. Values are read by column name; each reader throws a sentence with the
/// column and what was found when the value is NULL or of another form. The `…IfPresent` readers
/// return nil for NULL.
package struct Row {
    private let result: ResultSet
    private let index: Int

    init(of result: ResultSet, index: Int) {
        self.result = result
        self.index = index
    }

    package func int64(_ column: String) throws(PostgresError) -> Int64 {
        try required(column, "a whole number", int64IfPresent)
    }

    package func int64IfPresent(_ column: String) throws(PostgresError) -> Int64? {
        try parsed(column, "a whole number") { Int64($0) }
    }

    package func int(_ column: String) throws(PostgresError) -> Int {
        try required(column, "a whole number", intIfPresent)
    }

    package func intIfPresent(_ column: String) throws(PostgresError) -> Int? {
        try parsed(column, "a whole number") { Int($0) }
    }

    package func double(_ column: String) throws(PostgresError) -> Double {
        try required(column, "a number", doubleIfPresent)
    }

    package func doubleIfPresent(_ column: String) throws(PostgresError) -> Double? {
        try parsed(column, "a number") { text in
            // Swift reads "Infinity" and "NaN" as PostgreSQL writes them.
            Double(text)
        }
    }

    package func bool(_ column: String) throws(PostgresError) -> Bool {
        try required(column, "t or f", boolIfPresent)
    }

    package func boolIfPresent(_ column: String) throws(PostgresError) -> Bool? {
        try parsed(column, "t or f") { $0 == "t" ? true : $0 == "f" ? false : nil }
    }

    /// Any value as the text the server wrote: also timestamps, intervals and enumerations.
    package func text(_ column: String) throws(PostgresError) -> String {
        try required(column, "text", textIfPresent)
    }

    package func textIfPresent(_ column: String) throws(PostgresError) -> String? {
        try parsed(column, "text") { $0 }
    }

    /// A `bytea`.
    package func bytes(_ column: String) throws(PostgresError) -> [UInt8] {
        try required(column, "bytea in hex form", bytesIfPresent)
    }

    package func bytesIfPresent(_ column: String) throws(PostgresError) -> [UInt8]? {
        try decoded(column, "bytea in hex form") { HexText.decode($0) }
    }

    /// A `json` or `jsonb` as the UTF-8 text the server wrote.
    package func json(_ column: String) throws(PostgresError) -> [UInt8] {
        try required(column, "JSON", jsonIfPresent)
    }

    package func jsonIfPresent(_ column: String) throws(PostgresError) -> [UInt8]? {
        try decoded(column, "JSON") { Array($0) }
    }

    /// A `text[]` without NULLs.
    package func textArray(_ column: String) throws(PostgresError) -> [String] {
        try required(column, "an array of text", textArrayIfPresent)
    }

    package func textArrayIfPresent(_ column: String) throws(PostgresError) -> [String]? {
        try elements(column, "an array of text") { $0 }
    }

    /// A `text[]` whose elements may be NULL.
    package func nullableTextArray(_ column: String) throws(PostgresError) -> [String?] {
        try required(column, "an array of text") { column throws(PostgresError) in
            try decoded(column, "an array of text") { ArrayText.decode($0) }
        }
    }

    /// An array of whole numbers without NULLs.
    package func int64Array(_ column: String) throws(PostgresError) -> [Int64] {
        try required(column, "an array of whole numbers") { column throws(PostgresError) in
            try elements(column, "an array of whole numbers") { Int64($0) }
        }
    }

    /// A `bytea[]` without NULLs.
    package func bytesArray(_ column: String) throws(PostgresError) -> [[UInt8]] {
        try required(column, "an array of bytea") { column throws(PostgresError) in
            try elements(column, "an array of bytea") { text in
                Array(text.utf8).withUnsafeBytes { HexText.decode($0) }
            }
        }
    }

    // MARK: - Reading

    private func required<Value>(
        _ column: String,
        _ expected: String,
        _ read: (String) throws(PostgresError) -> Value?
    ) throws(PostgresError) -> Value {
        guard let value = try read(column) else {
            throw PostgresError(
                .unexpectedResult,
                "column \"\(column)\": expected \(expected), got NULL"
            )
        }
        return value
    }

    private func parsed<Value>(
        _ column: String,
        _ expected: String,
        _ parse: (String) -> Value?
    ) throws(PostgresError) -> Value? {
        try decoded(column, expected) { parse(String(decoding: $0, as: UTF8.self)) }
    }

    private func decoded<Value>(
        _ column: String,
        _ expected: String,
        _ decode: (UnsafeRawBufferPointer) -> Value?
    ) throws(PostgresError) -> Value? {
        let position = try result.position(of: column)
        // The bytes are libpq's: the result must outlive their use.
        return try withExtendedLifetime(result) { () throws(PostgresError) -> Value? in
            guard let bytes = result.bytes(row: index, column: position) else { return nil }
            guard let value = decode(bytes) else {
                throw PostgresError(
                    .unexpectedResult,
                    "column \"\(column)\": expected \(expected), got '\(Row.excerpt(bytes))'"
                )
            }
            return value
        }
    }

    private func elements<Value>(
        _ column: String,
        _ expected: String,
        _ parse: (String) -> Value?
    ) throws(PostgresError) -> [Value]? {
        try decoded(column, expected) { bytes in
            guard let texts = ArrayText.decode(bytes) else { return nil }
            let values = texts.compactMap { $0.flatMap(parse) }
            return values.count == texts.count ? values : nil
        }
    }

    /// The first 40 bytes of a value, for an error.
    private static func excerpt(_ bytes: UnsafeRawBufferPointer) -> String {
        let head = PostgresError.oneLine(String(decoding: bytes.prefix(40), as: UTF8.self))
        return bytes.count > 40 ? head + "…" : head
    }
}
