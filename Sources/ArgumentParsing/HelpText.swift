/// The `--help` page of a command.
///
/// Labels are indented by 2, summaries start at column 26, and lines wrap at the given width:
/// the layout that readers of swift-argument-parser's help already know.
package struct HelpText: Sendable {
    /// Spaces before a label.
    package static let indent = 2
    /// The column at which summaries start.
    package static let labelColumn = 26

    private let path: [CommandSpec]
    private let hasVersion: Bool
    private let width: Int

    /// The help of the last command of `path`, which starts at the root.
    package init(path: [CommandSpec], hasVersion: Bool = false, width: Int = 100) {
        self.path = path
        self.hasVersion = hasVersion
        self.width = max(width, Self.labelColumn + 20)
    }

    /// The whole page, ending with a newline.
    package var page: String {
        guard let command = path.last else { return "" }
        var sections = [TextWrapping.wrap("OVERVIEW: \(command.overview)", width: width)]
        if !command.discussion.isEmpty {
            sections.append(TextWrapping.wrap(command.discussion, width: width))
        }
        let usage = "USAGE: \(UsageText(path: path).line(width: width - 7))"
        sections.append(TextWrapping.wrap(usage, width: width, indentAfterFirst: 7))
        if !command.arguments.isEmpty {
            let rows = command.arguments.map { ("<\($0.name)>", argumentSummary($0)) }
            sections.append(section("ARGUMENTS", rows))
        }
        sections.append(section("OPTIONS", optionRows(command)))
        for group in command.groups {
            let rows = group.commands.map { ($0.name, $0.overview) }
            sections.append(section(group.heading, rows))
        }
        if !command.examples.isEmpty {
            let lines = command.examples.map { "  \($0)" }
            sections.append((["EXAMPLES:"] + lines).joined(separator: "\n"))
        }
        if !command.footnote.isEmpty {
            sections.append(TextWrapping.wrap(command.footnote, width: width))
        }
        if !command.subcommands.isEmpty {
            let name = UsageText(path: path).helpCommand.replacing(" --help", with: " help")
            sections.append("  See '\(name) <subcommand>' for detailed help.")
        }
        return sections.joined(separator: "\n\n") + "\n"
    }

    private func optionRows(_ command: CommandSpec) -> [(String, String)] {
        var rows = command.options.map { ($0.label, optionSummary($0)) }
        for ancestor in path.dropLast().reversed() {
            rows += ancestor.options.map { ($0.label, optionSummary($0)) }
        }
        if hasVersion, path.count == 1 { rows.append(("--version", "Print the version and exit.")) }
        rows.append(("-h, --help", "Show this help."))
        return rows
    }

    private func argumentSummary(_ argument: ArgumentSpec) -> String {
        var parts = [argument.summary]
        if !argument.values.isEmpty {
            parts.append("(values: \(argument.values.joined(separator: ", ")))")
        }
        return parts.joined(separator: " ")
    }

    private func optionSummary(_ option: OptionSpec) -> String {
        var parts = [option.summary]
        if !option.values.isEmpty {
            parts.append("(values: \(option.values.joined(separator: ", ")))")
        }
        if let text = option.defaultText ?? option.defaultValue {
            parts.append("(default: \(text))")
        }
        if let variable = option.environment { parts.append("[\(variable)]") }
        return parts.joined(separator: " ")
    }

    private func section(_ heading: String, _ rows: [(label: String, summary: String)]) -> String {
        let lines = rows.map { row in
            let label = String(repeating: " ", count: Self.indent) + row.label
            let column = String(repeating: " ", count: Self.labelColumn)
            let summary = TextWrapping.wrap(
                row.summary,
                width: width - Self.labelColumn
            ).replacing("\n", with: "\n" + column)
            if label.count < Self.labelColumn {
                return label + column.dropFirst(label.count) + summary
            }
            return label + "\n" + column + summary
        }
        return (["\(heading):"] + lines).joined(separator: "\n")
    }
}
