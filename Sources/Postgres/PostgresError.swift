/// What went wrong between this process and PostgreSQL. Carries the statement's text, never its
/// bind values, and never the password.
package struct PostgresError: Error, Sendable {
    /// What a caller can do depends on this, not on the words.
    package enum Kind: Sendable, Equatable {
        /// No connection could be opened.
        case cannotConnect
        /// The connection broke. A statement outside a transaction may or may not have taken
        /// effect.
        case connectionLost
        /// The connection broke between sending COMMIT and its answer: the transaction may have
        /// taken effect.
        case commitUnknown
        /// The server refused the statement.
        case statementFailed
        /// The server's answer is not of the form the caller asked for.
        case unexpectedResult
        /// A value that cannot be sent, or a database URL that cannot be read: refused on this
        /// side.
        case invalidInput
    }

    package let kind: Kind
    /// The server's own sentence, or this side's.
    package let message: String
    /// The server's code; nil when the server did not give one, as for every failure to connect.
    package let sqlState: SQLState?
    package let detail: String?
    package let hint: String?
    /// The statement with `$1`, `$2`, … in place of values.
    package let statement: String?

    package init(
        _ kind: Kind,
        _ message: String,
        sqlState: SQLState? = nil,
        detail: String? = nil,
        hint: String? = nil,
        statement: String? = nil
    ) {
        self.kind = kind
        self.message = message
        self.sqlState = sqlState
        self.detail = detail
        self.hint = hint
        self.statement = statement
    }

    /// True when there is no usable connection any more (or never was).
    package var isConnectionLost: Bool {
        switch kind {
        case .cannotConnect, .connectionLost, .commitUnknown: true
        case .statementFailed, .unexpectedResult, .invalidInput: false
        }
    }
}

// MARK: - CustomStringConvertible

extension PostgresError: CustomStringConvertible {
    /// One line: code, message, detail, hint and the statement.
    package var description: String {
        var text: String
        switch kind {
        case .statementFailed: text = "PostgreSQL error "
        case .connectionLost: text = "connection to PostgreSQL lost: "
        case .commitUnknown: text = "connection to PostgreSQL lost while committing: "
        case .cannotConnect, .unexpectedResult, .invalidInput: text = ""
        }
        if let sqlState { text += "\(sqlState): " }
        text += PostgresError.oneLine(message)
        if let detail { text += ". Detail: \(PostgresError.oneLine(detail))" }
        if let hint { text += ". Hint: \(PostgresError.oneLine(hint))" }
        if let statement { text += " - while executing \(PostgresError.shortened(statement))" }
        return text
    }

    /// Line breaks and runs of blanks become single blanks.
    static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The first 300 characters of a statement on one line.
    private static func shortened(_ statement: String) -> String {
        let line = oneLine(statement)
        return line.count > 300 ? line.prefix(300) + "…" : line
    }
}
