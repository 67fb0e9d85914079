/// What a command line asks for.
package enum ParseOutcome: Sendable {
    /// Run a command with these values.
    case run(ParsedArguments)
    /// Print this page on standard output and end well.
    case help(String)
    /// Print this line on standard output and end well.
    case version(String)
}

/// Reads a command line against a `CommandSpec`.
///
/// Accepts `--name value`, `--name=value`, `-n value`, `-n5`, joined flags `-ab`, options before,
/// between and after arguments, `--` to end options, `-h`, `--help`, `help <subcommand> …`, and
/// `--version` when a version was given. An option of a parent command may follow the subcommand.
package struct ArgumentParser: Sendable {
    private let root: CommandSpec
    private let version: String?
    private let environment: [String: String]
    private let width: Int

    /// A parser for the tool described by `root`; `width` is where help text wraps.
    package init(
        _ root: CommandSpec,
        version: String? = nil,
        environment: [String: String] = [:],
        width: Int = 100
    ) {
        self.root = root
        self.version = version
        self.environment = environment
        self.width = width
    }

    /// Reads `arguments`, which do not include the tool's name.
    ///
    /// - Throws: `ParsingError` with a sentence, the usage line and where to learn more.
    package func parse(_ arguments: [String]) throws(ParsingError) -> ParseOutcome {
        if arguments.first == "help", !root.subcommands.isEmpty {
            return .help(try helpPage(Array(arguments.dropFirst())))
        }
        var reading = CommandLineReading(root: root, hasVersion: version != nil)
        switch try reading.read(arguments) {
        case .help: return .help(help(reading.path))
        case .version: return .version("\(root.name) \(version ?? "")")
        case .values: return .run(try reading.finish(environment: environment))
        }
    }

    private func help(_ path: [CommandSpec]) -> String {
        HelpText(path: path, hasVersion: version != nil, width: width).page
    }

    private func helpPage(_ words: [String]) throws(ParsingError) -> String {
        var path = [root]
        var current = root
        for word in words where !word.hasPrefix("-") {
            guard let next = current.subcommand(word) else {
                let usage = UsageText(path: path)
                let nearest = EditDistance.nearest(
                    to: word,
                    in: current.subcommands.map(\.name)
                )
                throw ParsingError(
                    message: ParsingComplaint.unknownSubcommand(word, nearest: nearest).sentence,
                    usage: usage.line(),
                    helpCommand: usage.helpCommand
                )
            }
            path.append(next)
            current = next
        }
        return help(path)
    }
}
