/// One numbered step of the database schema, as embedded in the binary.
///
/// A migration is never edited once released: a correction is the next number.
package struct Migration: Sendable, Equatable {
    /// Its place in the order, from 1, without gaps.
    package let number: Int
    /// The file name without number and extension, such as `create_schema`.
    package let name: String
    /// Whether a program that knows only the versions before this one must stop working.
    ///
    /// Set by the first line of the file, `--! breaking`.
    package let breaking: Bool
    /// The text of the file.
    package let sql: String

    /// A migration from the name and the bytes of its file.
    ///
    /// - Parameters:
    ///   - file: Name such as `0001_create_schema.sql`.
    ///   - bytes: The file's UTF-8 text.
    init(file: String, bytes: some Collection<UInt8>) {
        let parts = file.split(separator: "_", maxSplits: 1)
        let number = parts.first.flatMap { Int($0) }
        precondition(
            number != nil && parts.count == 2 && file.hasSuffix(".sql"),
            "migration file '\(file)': expected a name such as '0001_create_schema.sql'"
        )
        self.number = number ?? 0
        name = String(parts[parts.count - 1].dropLast(".sql".count))
        sql = String(decoding: bytes, as: UTF8.self)
        breaking = sql.hasPrefix(Self.breakingMarker)
    }

    /// The first line that marks a breaking migration.
    static let breakingMarker = "--! breaking\n"
}
