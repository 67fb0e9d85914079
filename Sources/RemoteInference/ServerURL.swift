/// Where an OpenAI-compatible server answers, such as `http://gpu-1:8000/v1`: checked once, when the
/// configuration is read, and without anything secret in it.
package struct ServerURL: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is no such URL.
    package struct Problem: Error, Equatable {
        /// What was expected, and what was found in its place.
        package let expected: String
        package let got: String
    }

    /// The URL without a slash at its end.
    package let description: String

    /// Reads a URL of `http` or `https` with a host, perhaps a port and a path, and nothing else.
    package init(_ text: String) throws(Problem) {
        let expected = "a URL such as http://host:8000/v1"
        let scheme = ["http://", "https://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else { throw Problem(expected: expected, got: "\"\(text.prefix(60))\"") }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        // Looked at first: the message must not repeat a password.
        guard !authority.contains("@") else {
            throw Problem(
                expected: "a URL without user and password (keys go into api-key-file)",
                got: "one with them"
            )
        }
        var path = rest.dropFirst(authority.count)
        while path.hasSuffix("/") { path = path.dropLast() }
        guard text.utf8.count <= 1000, Self.isHost(authority), path.utf8.allSatisfy(Self.isPath)
        else { throw Problem(expected: expected, got: "\"\(text.prefix(60))\"") }
        description = scheme + authority.lowercased() + path
    }

    /// Letters, digits, dots and hyphens, or an IPv6 address in brackets; perhaps a port.
    private static func isHost(_ authority: Substring) -> Bool {
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let port = Int(authority[authority.index(after: colon)...]),
                (1...65535).contains(port)
            else { return false }
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]"), host.count > 2 {
            return host.dropFirst().dropLast().utf8.allSatisfy {
                isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
            }
        }
        return !host.isEmpty
            && host.utf8.allSatisfy {
                isLetterOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
    }

    private static func isPath(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || "/-._~%!$&'()*+;=:@".utf8.contains(byte)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) && Character(Unicode.Scalar(byte)).isHexDigit
    }
}
