/// The test of an `if` in a chat template: known facts joined by `and`, `or`, `not` and brackets.
///
/// Evaluated from the left like Jinja does, so that a fact behind one that decides need not be known.
struct JinjaCondition {
    /// What is true of a fact in the spelling `name['key'] == 'text'`; nil when nobody knows.
    typealias Facts = (_ fact: String) -> Bool?

    /// A fact that nobody knows, or a test that ends too early.
    struct Unknown: Error {
        let fact: String
    }

    private enum Token: Equatable {
        case word(String)
        case open
        case close
    }

    private let tokens: [Token]
    private var position = 0
    private var depth = 0
    private let facts: Facts

    /// Brackets in brackets; templates in use have two.
    private static let depthLimit = 32

    /// Whether `test` holds.
    static func holds(_ test: String, facts: @escaping Facts) throws(Unknown) -> Bool {
        var condition = JinjaCondition(tokens: tokens(of: test), facts: facts)
        let value = try condition.disjunction(isNeeded: true)
        guard condition.position == condition.tokens.count else { throw Unknown(fact: test) }
        return value
    }

    private init(tokens: [Token], facts: @escaping Facts) {
        self.tokens = tokens
        self.facts = facts
    }

    private mutating func disjunction(isNeeded: Bool) throws(Unknown) -> Bool {
        var value = try conjunction(isNeeded: isNeeded)
        while take("or") {
            let right = try conjunction(isNeeded: isNeeded && !value)
            value = value || right
        }
        return value
    }

    private mutating func conjunction(isNeeded: Bool) throws(Unknown) -> Bool {
        var value = try negation(isNeeded: isNeeded)
        while take("and") {
            let right = try negation(isNeeded: isNeeded && value)
            value = value && right
        }
        return value
    }

    private mutating func negation(isNeeded: Bool) throws(Unknown) -> Bool {
        var isNegated = false
        while take("not") { isNegated.toggle() }
        return try primary(isNeeded: isNeeded) != isNegated
    }

    private mutating func primary(isNeeded: Bool) throws(Unknown) -> Bool {
        if position < tokens.count, tokens[position] == .open {
            guard depth < Self.depthLimit else { throw Unknown(fact: "(") }
            depth += 1
            defer { depth -= 1 }
            position += 1
            let value = try disjunction(isNeeded: isNeeded)
            guard position < tokens.count, tokens[position] == .close else {
                throw Unknown(fact: "(")
            }
            position += 1
            return value
        }
        var words: [String] = []
        while position < tokens.count, case .word(let word) = tokens[position],
            word != "and", word != "or"
        {
            words.append(word)
            position += 1
        }
        let fact = words.joined(separator: " ")
        if let value = facts(fact) { return value }
        if isNeeded || fact.isEmpty { throw Unknown(fact: fact) }
        return false
    }

    private mutating func take(_ word: String) -> Bool {
        guard position < tokens.count, tokens[position] == .word(word) else { return false }
        position += 1
        return true
    }

    /// Words, with calls and quoted texts left in them, and the brackets between.
    private static func tokens(of test: String) -> [Token] {
        var tokens: [Token] = []
        var word = ""
        var quote: Character?
        var callDepth = 0
        func flush() {
            if !word.isEmpty { tokens.append(.word(word)) }
            word = ""
        }
        for character in test {
            if let open = quote {
                word.append(character)
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
                word.append(character)
            } else if character == "(", callDepth > 0 || !(word.isEmpty || word == "not") {
                callDepth += 1
                word.append(character)
            } else if character == ")", callDepth > 0 {
                callDepth -= 1
                word.append(character)
            } else if character == "(" || character == ")" {
                flush()
                tokens.append(character == "(" ? .open : .close)
            } else if character == " ", callDepth == 0 {
                flush()
            } else {
                word.append(character)
            }
        }
        flush()
        return tokens
    }
}
