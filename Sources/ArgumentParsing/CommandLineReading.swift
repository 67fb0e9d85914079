/// One pass over a command line: the command reached so far and the values collected.
struct CommandLineReading {
    /// Why a pass ended.
    enum End {
        case values
        case help
        case version
    }

    /// From the root to the command that the words read so far have chosen.
    private(set) var path: [CommandSpec]
    private var command: CommandSpec
    private let hasVersion: Bool
    private var given: [String: [ParsedArguments.Value]] = [:]
    private var positionals: [String] = []

    init(root: CommandSpec, hasVersion: Bool) {
        self.path = [root]
        self.command = root
        self.hasVersion = hasVersion
    }

    /// Reads all words; stops at the first that asks for help or the version.
    mutating func read(_ words: [String]) throws(ParsingError) -> End {
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                for word in rest { try accept(word) }
                break
            } else if word == "-h" || word == "--help" {
                return .help
            } else if hasVersion, path.count == 1, word == "--version" {
                return .version
            } else if word.hasPrefix("--") {
                try readLong(word, &rest)
            } else if word.hasPrefix("-"), word != "-", !isNegativeNumber(word) {
                if try readShort(word, &rest) { return .help }
            } else {
                try accept(word)
            }
        }
        return .values
    }

    /// Assigns arguments, fills in variables and defaults, and checks that nothing is missing.
    mutating func finish(
        environment: [String: String]
    ) throws(ParsingError) -> ParsedArguments {
        if !command.subcommands.isEmpty {
            throw error(.missingSubcommand(of: command.subcommands.map(\.name)))
        }
        try assignPositionals()
        for option in path.flatMap(\.options) where given[option.name] == nil {
            try fill(option, environment)
        }
        return ParsedArguments(path: path, values: given)
    }

    // MARK: - Words

    private mutating func accept(_ word: String) throws(ParsingError) {
        guard !command.subcommands.isEmpty else {
            positionals.append(word)
            return
        }
        guard let next = command.subcommand(word) else {
            let names = command.subcommands.map(\.name)
            throw error(
                .unknownSubcommand(word, nearest: EditDistance.nearest(to: word, in: names))
            )
        }
        path.append(next)
        command = next
    }

    private mutating func readLong(
        _ word: String,
        _ rest: inout ArraySlice<String>
    ) throws(ParsingError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let spelled = String(parts.first ?? "")
        let inline = parts.count == 2 ? parts.last.map(String.init) : nil
        guard let option = option(where: { "--\($0.name)" == spelled }) else {
            if spelled == "--help" || spelled == "--version", let inline {
                throw error(.unwantedValue(flag: spelled, value: inline))
            }
            throw unknown(spelled)
        }
        if option.isFlag, let inline {
            throw error(.unwantedValue(flag: spelled, value: inline))
        }
        try record(option, inline, &rest)
    }

    /// Reads `-n value`, `-n5` or joined flags; true when `h` was among the flags.
    private mutating func readShort(
        _ word: String,
        _ rest: inout ArraySlice<String>
    ) throws(ParsingError) -> Bool {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            if letter == "h" { return true }
            guard let option = option(where: { $0.short == letter }) else {
                throw unknown(word.count == 2 ? word : "-\(letter)")
            }
            guard option.isFlag else {
                let inline = letters.first == "=" ? letters.dropFirst() : letters
                try record(option, letters.isEmpty ? nil : String(inline), &rest)
                return false
            }
            try record(option, nil, &rest)
        }
        return false
    }

    private mutating func record(
        _ option: OptionSpec,
        _ inline: String?,
        _ rest: inout ArraySlice<String>
    ) throws(ParsingError) {
        if option.isFlag {
            given[option.name] = [.init(text: "true", source: .commandLine)]
            return
        }
        if given[option.name] != nil, !option.isRepeatable {
            throw error(.repeatedOption("--\(option.name)"))
        }
        var value = inline
        if value == nil, let next = rest.first, !looksLikeOption(next) {
            value = next
            rest.removeFirst()
        }
        guard let value else { throw error(.missingValue(option.spelling)) }
        try check(value, option.values, option.format, subject: option.spelling)
        given[option.name, default: []].append(.init(text: value, source: .commandLine))
    }

    // MARK: - Completion

    private mutating func assignPositionals() throws(ParsingError) {
        var rest = positionals[...]
        for argument in command.arguments {
            var taken: [String] = []
            if argument.isRepeatable {
                taken = Array(rest)
                rest = []
            } else if let word = rest.popFirst() {
                taken = [word]
            }
            if taken.isEmpty, argument.isRequired {
                throw error(.missingArgument("<\(argument.name)>"))
            }
            for word in taken {
                try check(word, argument.values, argument.format, subject: "<\(argument.name)>")
            }
            given[argument.name] = taken.map { .init(text: $0, source: .commandLine) }
        }
        if let extra = rest.first { throw error(.unexpectedArgument(extra)) }
    }

    private mutating func fill(
        _ option: OptionSpec,
        _ environment: [String: String]
    ) throws(ParsingError) {
        if let variable = option.environment, let text = environment[variable], !text.isEmpty {
            let source = ValueSource.environment(variable)
            if option.isFlag {
                guard let value = Self.truth(text) else {
                    throw error(
                        .invalidValue(text, subject: variable, expectation: "true or false")
                    )
                }
                given[option.name] = [.init(text: String(value), source: source)]
                return
            }
            let words =
                option.isRepeatable ? text.split(separator: ",").map(String.init) : [text]
            for word in words {
                try check(word, option.values, option.format, subject: variable)
            }
            given[option.name] = words.map { .init(text: $0, source: source) }
        } else if let text = option.defaultValue {
            given[option.name] = [.init(text: text, source: .defaultValue)]
        } else if option.isRequired {
            throw error(.missingOption(option.spelling))
        }
    }

    private func check(
        _ value: String,
        _ values: [String],
        _ format: ValueFormat?,
        subject: String
    ) throws(ParsingError) {
        if !values.isEmpty, !values.contains(value) {
            throw error(.valueNotAmong(value, subject: subject, values: values))
        }
        if let format, !format.accepts(value) {
            throw error(
                .invalidValue(value, subject: subject, expectation: format.expectation)
            )
        }
    }

    // MARK: - Lookups

    private func option(where matches: (OptionSpec) -> Bool) -> OptionSpec? {
        path.flatMap(\.options).last(where: matches)
    }

    private func unknown(_ spelled: String) -> ParsingError {
        let names = path.flatMap(\.options).map { "--\($0.name)" } + ["--help"]
        let nearest =
            spelled.hasPrefix("--") ? EditDistance.nearest(to: spelled, in: names) : nil
        return error(.unknownOption(spelled, nearest: nearest))
    }

    private func error(_ complaint: ParsingComplaint) -> ParsingError {
        let usage = UsageText(path: path)
        return ParsingError(
            message: complaint.sentence,
            usage: usage.line(),
            helpCommand: usage.helpCommand
        )
    }

    /// Whether a word that follows an option is another option rather than its value: `-` alone
    /// (standard input) and negative numbers are values.
    private func looksLikeOption(_ word: String) -> Bool {
        word.hasPrefix("-") && word != "-" && !isNegativeNumber(word)
    }

    private func isNegativeNumber(_ word: String) -> Bool {
        word.hasPrefix("-") && word.dropFirst().first?.isNumber == true && Double(word) != nil
    }

    private static func truth(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "true", "yes", "on": true
        case "0", "false", "no", "off": false
        default: nil
        }
    }
}
