/// One term of a template's output expression `'text' + message['role'] + …`.
enum JinjaExpression: Equatable {
    case literal(String)
    /// A variable in the spelling `name['key']`; `name.key` is brought to it.
    case variable(String)

    /// The terms that `+` joins; nil for anything but literals and variables.
    static func terms(of expression: String) -> [JinjaExpression]? {
        var terms: [JinjaExpression] = []
        var rest = Substring(expression).drop { $0.isWhitespace }
        while true {
            guard let term = term(&rest) else { return nil }
            terms.append(term)
            rest = rest.drop { $0.isWhitespace }
            if rest.isEmpty { return terms }
            guard rest.first == "+" else { return nil }
            rest = rest.dropFirst().drop { $0.isWhitespace }
        }
    }

    private static func term(_ rest: inout Substring) -> JinjaExpression? {
        if rest.first == "'" || rest.first == "\"" { return literal(&rest).map(Self.literal) }
        guard let name = name(&rest) else { return nil }
        if rest.first == "." {
            rest.removeFirst()
            return Self.name(&rest).map { .variable("\(name)['\($0)']") }
        }
        guard rest.first == "[" else { return nil }
        rest.removeFirst()
        guard rest.first == "'" || rest.first == "\"", let key = literal(&rest),
            rest.first == "]"
        else { return nil }
        rest.removeFirst()
        return .variable("\(name)['\(key)']")
    }

    private static func name(_ rest: inout Substring) -> String? {
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0 == "_") }
        rest = rest[name.endIndex...]
        return name.isEmpty ? nil : String(name)
    }

    /// A quoted text at the start of `rest`, with the escapes `\n`, `\t`, `\\` and quotes.
    private static func literal(_ rest: inout Substring) -> String? {
        guard let quote = rest.popFirst() else { return nil }
        var text = ""
        while let character = rest.popFirst() {
            if character == quote { return text }
            guard character == "\\" else {
                text.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": text.append("\n")
            case "t": text.append("\t")
            case "\\": text.append("\\")
            case "'": text.append("'")
            case "\"": text.append("\"")
            default: return nil
            }
        }
        return nil
    }
}
