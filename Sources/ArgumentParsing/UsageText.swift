/// The usage line of a command.
package struct UsageText: Sendable {
    private let path: [CommandSpec]

    /// The usage of the last command of `path`, which starts at the root.
    package init(path: [CommandSpec]) {
        self.path = path
    }

    /// `rewardctl cancel <id> ... [--reason <text>] [--dry-run]`.
    ///
    /// Required options are always spelled. Optional ones are spelled when the whole line stays
    /// within `width` columns and stand as `[options]` otherwise. Inherited options are left to the
    /// help text.
    package func line(width: Int = 90) -> String {
        guard let command = path.last else { return "" }
        let name = path.map(\.name).joined(separator: " ")
        var required = command.options.filter(\.isRequired).map(\.spelling)
        let optional = command.options.filter { !$0.isRequired }.map { option in
            "[\(option.spelling)]" + (option.isRepeatable ? " ..." : "")
        }
        var arguments = command.arguments.map(\.spelling)
        if !command.subcommands.isEmpty { arguments = ["<subcommand>"] }
        if command.subcommands.isEmpty { required = arguments + required }
        let trailing = command.subcommands.isEmpty ? [] : arguments
        let full = ([name] + required + optional + trailing).joined(separator: " ")
        if full.count <= width || optional.isEmpty { return full }
        return ([name] + required + ["[options]"] + trailing).joined(separator: " ")
    }

    /// The command that prints this command's help: `rewardctl help cancel`, or `rewardd --help`.
    package var helpCommand: String {
        guard let root = path.first else { return "" }
        if path.count == 1 { return "\(root.name) --help" }
        return "\(root.name) help " + path.dropFirst().map(\.name).joined(separator: " ")
    }
}
