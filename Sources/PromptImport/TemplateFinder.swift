import Hashing

/// Finds templates among the string literals of Python files by their digests.
///
/// Nothing is taken on trust: whatever way a file spells a text (quotes, escapes, joined pieces,
/// f-string fields of any name), it counts only when the SHA-256 of the result is the one known.
package struct TemplateFinder: Sendable {
    /// A template's text and where it was.
    package struct Find: Sendable, Equatable {
        /// With its upstream placeholders.
        package let text: String
        /// The path that was given with the file.
        package let file: String
        /// The line its literal starts in.
        package let line: Int
    }

    /// What fields of f-strings are called in the texts that digests are of.
    private static let names = [
        "prompt", "Query", "R1", "R2", "Response", "response", "instruction",
    ]
    /// More pieces than any template has; a run of more is a table of strings.
    private static let longestRun = 64

    private let digests: TemplateDigests
    private let lengths: Set<Int>
    /// What has been found, by the template's name.
    package private(set) var found: [String: Find] = [:]

    /// A finder of these templates.
    package init(_ digests: TemplateDigests) {
        self.digests = digests
        lengths = Set(digests.entries.map(\.byteCount))
    }

    /// Looks through a file.
    package mutating func look(through source: [UInt8], named file: String) {
        for run in PythonLiterals(source).runs where run.count <= Self.longestRun {
            for start in run.indices {
                var pieces: [PythonLiterals.Piece] = []
                for end in start..<run.count {
                    pieces += run[end].pieces
                    consider(pieces, file: file, line: run[start].line)
                }
            }
        }
    }

    /// Tries every way that pieces can be a text of a known length.
    private mutating func consider(_ pieces: [PythonLiterals.Piece], file: String, line: Int) {
        var fields: [String] = []
        var plain = 0
        for piece in pieces {
            switch piece {
            case .text(let text): plain += text.utf8.count
            case .field(let expression):
                if !fields.contains(expression) { fields.append(expression) }
            }
        }
        // No template has more than three fields, and none is shorter than half a kilobyte or so.
        guard fields.count <= 3, let least = lengths.min(), plain + 64 * fields.count >= least
        else {
            return
        }
        for naming in namings(of: fields) {
            var text = ""
            for piece in pieces {
                switch piece {
                case .text(let part): text += part
                case .field(let expression): text += "{\(naming[expression] ?? expression)}"
                }
            }
            check(text, file: file, line: line)
            // A text that goes through `.format` has its own braces doubled.
            if text.contains("{{") || text.contains("}}") {
                check(
                    text.replacing("{{", with: "{").replacing("}}", with: "}"),
                    file: file,
                    line: line
                )
            }
        }
    }

    /// Every way to give fields the names known, their own first.
    private func namings(of fields: [String]) -> [[String: String]] {
        fields.reduce([[:]]) { namings, field in
            namings.flatMap { naming in
                ([field] + Self.names).map { name in naming.merging([field: name]) { $1 } }
            }
        }
    }

    private mutating func check(_ text: String, file: String, line: Int) {
        for prefix in [""] + digests.prefixes where text.hasPrefix(prefix) {
            let rest = text.dropFirst(prefix.count)
            guard lengths.contains(rest.utf8.count) else { continue }
            let digest = SHA256.digest(rest.utf8)
            for entry in digests.entries where entry.digest == digest && found[entry.id] == nil {
                found[entry.id] = Find(text: String(rest), file: file, line: line)
            }
        }
    }
}
