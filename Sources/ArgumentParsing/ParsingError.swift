/// A command line that cannot be obeyed, with what the user needs to correct it.
package struct ParsingError: Error, CustomStringConvertible, Equatable, Sendable {
    /// One sentence: what was wrong, the text that was typed in quotes, what was expected.
    package let message: String
    /// The usage line of the command, without a prefix. Empty when it would not help.
    package let usage: String
    /// The command that tells more, such as `rewardctl help submit`.
    package let helpCommand: String

    /// An error about the command line.
    package init(message: String, usage: String = "", helpCommand: String = "") {
        self.message = message
        self.usage = usage
        self.helpCommand = helpCommand
    }

    /// The text for standard error: `Error: …`, `Usage: …`, where to learn more.
    package var description: String {
        var lines = ["Error: \(message)"]
        if !usage.isEmpty { lines.append("Usage: \(usage)") }
        if !helpCommand.isEmpty { lines.append("  See '\(helpCommand)' for more information.") }
        return lines.joined(separator: "\n")
    }
}

/// The sentences of `ParsingError`, one per way a command line can be wrong.
enum ParsingComplaint {
    case unknownOption(String, nearest: String?)
    case unknownSubcommand(String, nearest: String?)
    case missingSubcommand(of: [String])
    case unexpectedArgument(String)
    case missingArgument(String)
    case missingOption(String)
    case missingValue(String)
    case unwantedValue(flag: String, value: String)
    case repeatedOption(String)
    case invalidValue(String, subject: String, expectation: String)
    case valueNotAmong(String, subject: String, values: [String])

    var sentence: String {
        switch self {
        case .unknownOption(let option, let nearest):
            "Unknown option '\(option)'.\(Self.suggestion(nearest))"
        case .unknownSubcommand(let word, let nearest):
            "Unknown subcommand '\(word)'.\(Self.suggestion(nearest))"
        case .missingSubcommand(let names):
            names.count > 6
                ? "Missing expected subcommand."
                : "Missing expected subcommand: one of \(Self.list(names))."
        case .unexpectedArgument(let text):
            "Unexpected argument '\(text)'."
        case .missingArgument(let spelling):
            "Missing expected argument '\(spelling)'."
        case .missingOption(let spelling):
            "Missing expected option '\(spelling)'."
        case .missingValue(let spelling):
            "Missing value for '\(spelling)'."
        case .unwantedValue(let flag, let value):
            "The flag '\(flag)' takes no value, got '\(value)'."
        case .repeatedOption(let option):
            "The option '\(option)' may be given only once."
        case .invalidValue(let value, let subject, let expectation):
            "The value '\(value)' is invalid for '\(subject)': expected \(expectation)."
        case .valueNotAmong(let value, let subject, let values):
            "The value '\(value)' is invalid for '\(subject)'."
                + (EditDistance.nearest(to: value, in: values).map { " Did you mean '\($0)'?" }
                    ?? " Please provide one of \(Self.list(values)).")
        }
    }

    private static func suggestion(_ nearest: String?) -> String {
        nearest.map { " Did you mean '\($0)'?" } ?? ""
    }

    /// `'a', 'b' or 'c'`.
    private static func list(_ words: [String]) -> String {
        let quoted = words.map { "'\($0)'" }
        guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " or " + last
    }
}
