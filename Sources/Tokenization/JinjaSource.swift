/// A chat template's source cut into tags and text, white space trimmed as the reference renders
/// it (Jinja with `trim_blocks` and `lstrip_blocks`, as `transformers` sets it up).
struct JinjaSource {
    enum Token: Equatable {
        case text(String)
        /// The inside of `{{ … }}`.
        case expression(String)
        /// The inside of `{% … %}`, white space collapsed, double quotes made single.
        case statement(String)
    }

    private let source: [Unicode.Scalar]
    private var position = 0
    private var tokens: [Token] = []
    /// White space that the next text must lose at its start.
    private var trim = Trim.none

    private enum Trim {
        case none
        case newline
        case all
    }

    /// Nil when a tag is not closed.
    static func tokens(of text: String) -> [Token]? {
        var source = JinjaSource(text)
        return source.scan() ? source.tokens : nil
    }

    private init(_ text: String) {
        var scalars = Array(text.unicodeScalars)
        // Jinja drops one line break at the very end of a template.
        if scalars.last == "\n" { scalars.removeLast() }
        source = scalars
    }

    private mutating func scan() -> Bool {
        while position < source.count {
            let start = position
            while position < source.count, tagKind(at: position) == nil { position += 1 }
            let kind = tagKind(at: position)
            var text = source[start..<position]
            trimStart(of: &text)
            guard let kind else {
                append(text)
                return true
            }
            let stripsBefore = position + 2 < source.count && source[position + 2] == "-"
            trimEnd(of: &text, kind: kind, stripsAll: stripsBefore)
            append(text)
            if !scanTag(kind: kind, contentStart: position + (stripsBefore ? 3 : 2)) {
                return false
            }
        }
        return true
    }

    /// `{`, `%` or `#` when a tag of that kind opens here.
    private func tagKind(at index: Int) -> Unicode.Scalar? {
        guard index + 1 < source.count, source[index] == "{" else { return nil }
        let kind = source[index + 1]
        return kind == "{" || kind == "%" || kind == "#" ? kind : nil
    }

    private mutating func scanTag(kind: Unicode.Scalar, contentStart: Int) -> Bool {
        let closer: Unicode.Scalar = kind == "{" ? "}" : kind
        var quote: Unicode.Scalar?
        var index = contentStart
        while index + 1 < source.count {
            let scalar = source[index]
            if let open = quote {
                if scalar == "\\" {
                    index += 1
                } else if scalar == open {
                    quote = nil
                }
            } else if kind != "#", scalar == "'" || scalar == "\"" {
                quote = scalar
            } else if scalar == closer, source[index + 1] == "}" {
                finishTag(kind: kind, content: contentStart..<max(contentStart, index))
                position = index + 2
                return true
            }
            index += 1
        }
        return false
    }

    private mutating func finishTag(kind: Unicode.Scalar, content: Range<Int>) {
        var content = source[content]
        let stripsAfter = content.last == "-"
        if stripsAfter { content.removeLast() }
        trim = stripsAfter ? .all : kind == "{" ? .none : .newline
        let inside = Self.string(content)
        switch kind {
        case "{": tokens.append(.expression(inside))
        case "%": tokens.append(.statement(Self.collapsed(inside)))
        default: break
        }
    }

    private mutating func trimStart(of text: inout ArraySlice<Unicode.Scalar>) {
        switch trim {
        case .none: break
        case .newline:
            if text.first == "\n" { text.removeFirst() }
        case .all:
            text = text.drop { $0.properties.isWhitespace }
        }
        trim = .none
    }

    /// Before a block or comment the blanks of its own line go, when nothing else stands on it.
    private func trimEnd(
        of text: inout ArraySlice<Unicode.Scalar>,
        kind: Unicode.Scalar,
        stripsAll: Bool
    ) {
        if stripsAll {
            while let last = text.last, last.properties.isWhitespace { text.removeLast() }
        } else if kind != "{" {
            var kept = text
            while let last = kept.last, last == " " || last == "\t" { kept.removeLast() }
            let startsLine = kept.last == "\n" || (kept.isEmpty && text.startIndex == 0)
            if startsLine { text = kept }
        }
    }

    private mutating func append(_ text: ArraySlice<Unicode.Scalar>) {
        if !text.isEmpty { tokens.append(.text(Self.string(text))) }
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    private static func collapsed(_ text: String) -> String {
        text.split { $0.isWhitespace }.joined(separator: " ")
            .split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "'")
    }
}
