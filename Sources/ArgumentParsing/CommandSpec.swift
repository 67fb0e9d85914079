/// One positional argument of a command.
package struct ArgumentSpec: Sendable {
    /// The placeholder, such as `id`; also the name under which the value is read.
    package let name: String
    /// One sentence for the help text.
    package let summary: String
    /// The only values allowed; empty allows every value of `format`.
    package let values: [String]
    /// The rule for a value.
    package let format: ValueFormat?
    /// Whether at least one value must be given.
    package let isRequired: Bool
    /// Whether the argument takes all remaining values. Only the last argument may.
    package let isRepeatable: Bool

    /// A positional argument.
    package init(
        _ name: String,
        _ summary: String,
        values: [String] = [],
        format: ValueFormat? = nil,
        required: Bool = true,
        repeatable: Bool = false
    ) {
        self.name = name
        self.summary = summary
        self.values = values
        self.format = format
        self.isRequired = required
        self.isRepeatable = repeatable
    }

    /// `<id>`, `<id> ...`, `[<id>]` or `[<id> ...]`: how usage lines spell it.
    package var spelling: String {
        let core = isRepeatable ? "<\(name)> ..." : "<\(name)>"
        return isRequired ? core : "[\(core)]"
    }
}

/// Subcommands under one heading of the help text, such as JOBS.
package struct CommandGroup: Sendable {
    /// The heading, in capitals.
    package let heading: String
    /// The subcommands in the order of the help text.
    package let commands: [CommandSpec]

    /// A group of subcommands.
    package init(_ heading: String, _ commands: [CommandSpec]) {
        self.heading = heading
        self.commands = commands
    }
}

/// A command line described as data: name, prose, arguments, options, subcommands, examples.
///
/// A tool builds one tree of these; `ArgumentParser` reads command lines with it and `HelpText`
/// prints it, so the two cannot disagree.
package struct CommandSpec: Sendable {
    /// The word typed, such as `cancel`; for the root the tool's name.
    package let name: String
    /// Other words that mean the same, such as `job` for `jobs`. Not shown in help.
    package let aliases: [String]
    /// One sentence.
    package let overview: String
    /// Paragraphs between OVERVIEW and USAGE, separated by empty lines.
    package let discussion: String
    /// Positional arguments in order.
    package let arguments: [ArgumentSpec]
    /// Options and flags, without `--help` and `--version`, which the parser adds. The options of a
    /// command are accepted by its subcommands too.
    package let options: [OptionSpec]
    /// Command lines for the EXAMPLES section.
    package let examples: [String]
    /// Subcommands by heading; a command that has them takes no arguments of its own.
    package let groups: [CommandGroup]
    /// A closing paragraph, such as the exit codes.
    package let footnote: String

    /// A command.
    package init(
        _ name: String,
        aliases: [String] = [],
        overview: String,
        discussion: String = "",
        arguments: [ArgumentSpec] = [],
        options: [OptionSpec] = [],
        examples: [String] = [],
        groups: [CommandGroup] = [],
        footnote: String = ""
    ) {
        precondition(
            arguments.isEmpty || groups.isEmpty,
            "\(name): both arguments and subcommands"
        )
        precondition(
            !arguments.dropLast().contains { $0.isRepeatable },
            "\(name): only the last argument may be repeatable"
        )
        self.name = name
        self.aliases = aliases
        self.overview = overview
        self.discussion = discussion
        self.arguments = arguments
        self.options = options
        self.examples = examples
        self.groups = groups
        self.footnote = footnote
    }

    /// All subcommands, groups flattened.
    package var subcommands: [CommandSpec] { groups.flatMap(\.commands) }

    /// The subcommand with this name or alias.
    package func subcommand(_ word: String) -> CommandSpec? {
        subcommands.first { $0.name == word || $0.aliases.contains(word) }
    }
}
