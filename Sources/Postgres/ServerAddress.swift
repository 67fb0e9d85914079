import CLibPQ

/// What may be shown of a database URL: host, port, database and user, never the password.
package struct ServerAddress: Sendable, Equatable, CustomStringConvertible {
    package let host: String
    package let port: String
    package let database: String
    package let user: String

    /// For example `db1:5432/rewards as rewardd`.
    package var description: String { "\(host):\(port)/\(database) as \(user)" }

    /// Reads the parts of a URL (or key=value text) as libpq would, without its environment and
    /// service file.
    package init(url: String) throws(PostgresError) {
        try ServerAddress.check(url)
        let values = ServerAddress.values(of: url) ?? [:]
        host = values["host"] ?? values["hostaddr"] ?? "localhost"
        port = values["port"] ?? "5432"
        database = values["dbname"] ?? values["user"] ?? "default"
        user = values["user"] ?? "default"
    }

    /// What an opened, or failed, connection knows about itself.
    init(of connection: OpaquePointer) {
        func text(_ pointer: UnsafePointer<CChar>?) -> String? {
            guard let pointer, pointer.pointee != 0 else { return nil }
            return String(cString: pointer)
        }
        host = text(PQhost(connection)) ?? "localhost"
        port = text(PQport(connection)) ?? "5432"
        database = text(PQdb(connection)) ?? "default"
        user = text(PQuser(connection)) ?? "default"
    }

    /// Refuses text that libpq cannot read. Its own message would quote the text, password and all.
    static func check(_ url: String) throws(PostgresError) {
        let remedy =
            "expected postgresql://user@host:port/database or 'host=… dbname=… user=…'"
        guard !url.utf8.contains(0) else {
            throw PostgresError(.invalidInput, "database URL: \(remedy), got text with a NUL byte")
        }
        let isURL = url.hasPrefix("postgresql://") || url.hasPrefix("postgres://")
        guard isURL || url.isEmpty || url.contains("=") else {
            throw PostgresError(
                .invalidInput,
                "database URL: \(remedy), got text of another form (\(url.utf8.count) bytes)"
            )
        }
        guard !isURL || !hasStrayAt(url) else {
            throw PostgresError(
                .invalidInput,
                "database URL: \(remedy), got an '@' in another place. Write @ / ? # of a "
                    + "password as %40 %2F %3F %23."
            )
        }
        guard let values = values(of: url) else {
            throw PostgresError(
                .invalidInput,
                "database URL: \(remedy), got text that libpq cannot read "
                    + "(\(url.utf8.count) bytes). Check the names of its parameters and "
                    + "percent-encode special characters."
            )
        }
        guard (values["port"] ?? "").allSatisfy({ $0.isASCII && $0.isNumber || $0 == "," }) else {
            throw PostgresError(
                .invalidInput,
                "database URL: \(remedy), got a port that is not a number. Percent-encode "
                    + "special characters of the password."
            )
        }
    }

    /// True when a password with an unescaped `@` or `/` would be taken for part of the host or the
    /// database.
    private static func hasStrayAt(_ url: String) -> Bool {
        guard let start = url.ranges(of: "://").first?.upperBound else { return false }
        let place = url[start...].prefix { $0 != "?" }
        let authority = place.prefix { $0 != "/" }
        return authority.count { $0 == "@" } > 1 || place[authority.endIndex...].contains("@")
    }

    /// The parameters a URL gives, or nil when libpq cannot read it.
    private static func values(of url: String) -> [String: String]? {
        guard let options = PQconninfoParse(url, nil) else { return nil }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        return values
    }
}
