import ArgumentParsing

/// Where the queue lives: `--database-url`, else DATABASE_URL, else libpq's PG* variables.
enum DatabaseLocation {
    /// The option that every command accepts.
    static let option = OptionSpec.option(
        "database-url",
        value: "url",
        "Where the queue lives, as postgres://user@host/database; without it the PG* variables.",
        environment: "DATABASE_URL"
    )

    /// The connection string for libpq, empty when its own variables decide.
    ///
    /// - Throws: `CommandFailure` for a password on the command line, where every user of the
    ///   machine can read it.
    static func resolve(_ arguments: ParsedArguments) throws(CommandFailure) -> String {
        guard let url = arguments.text("database-url") else { return "" }
        if arguments.source(of: "database-url") == .commandLine, hasPassword(url) {
            throw CommandFailure(
                .usage,
                """
                --database-url: expected a URL without a password, got one with a password, which \
                every user of this machine can see. Put it in PGPASSWORD or ~/.pgpass, or give the \
                whole URL in DATABASE_URL.
                """
            )
        }
        if hasBareSpecialCharacters(url) {
            throw CommandFailure(
                .usage,
                """
                \(arguments.source(of: "database-url") == .commandLine ? "--database-url" : "DATABASE_URL"): \
                expected '/', '?' and '#' in user and password to be percent-encoded, such as %2F for \
                '/', got one as it is.
                """
            )
        }
        return url
    }

    /// Whether the part before the last `@` holds a character that ends it early. libpq would take
    /// the start of the password for a port, and name it in its message.
    private static func hasBareSpecialCharacters(_ url: String) -> Bool {
        guard let scheme = url.firstRange(of: "://"), let at = url.lastIndex(of: "@") else {
            return false
        }
        let start = scheme.upperBound
        guard start <= at else { return false }
        let end = url[start...].firstIndex { "/?#".contains($0) } ?? url.endIndex
        let authority = url[start..<end]
        guard end < at, let colon = authority.lastIndex(of: ":"), !authority.contains("@") else {
            return false
        }
        // A number may be the port, and the `@` part of a parameter such as `?user=me@server`.
        let port = authority[colon...].dropFirst()
        let query = url[end...].firstIndex(of: "?") ?? url.endIndex
        return at < query || !port.allSatisfy(\.isNumber)
    }

    /// Whether a connection URL or `key=value` string carries a password.
    static func hasPassword(_ text: String) -> Bool {
        let decoded = decodingPercent(text).lowercased()
        for scheme in ["postgres://", "postgresql://"] where decoded.hasPrefix(scheme) {
            let parts = text.dropFirst(scheme.count).split(
                separator: "?",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            let authority = parts.first?.prefix { $0 != "/" } ?? ""
            if let at = authority.lastIndex(of: "@"), authority[..<at].contains(":") { return true }
        }
        // libpq decodes the names of parameters too, so `pass%77ord=` is one.
        return decoded.contains(/(^|[\s?&'])(password|sslpassword)\s*=/)
    }

    private static func decodingPercent(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), digits.count == 2, let code = UInt8(digits, radix: 16) {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
