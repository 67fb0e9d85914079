import ArgumentParsing
import JSONReading

/// The options of a job, collected from `--option name=value`.
enum JobOptions {
    /// The options as a JSON object.
    ///
    /// A value that spells a JSON number or boolean becomes one, everything else is a string; which
    /// options exist and what they may hold is the database's to say.
    ///
    /// - Parameter lists: Options whose value is a list of words, separated by commas.
    /// - Throws: `CommandFailure` for an assignment without name or `=`, or a name given twice.
    static func object(
        _ assignments: [String],
        lists: Set<String> = []
    ) throws(CommandFailure) -> JSONNode {
        var members: [JSONNode.Member] = []
        for assignment in assignments {
            let parts = assignment.split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard parts.count == 2, let name = parts.first, !name.isEmpty, let text = parts.last
            else {
                throw CommandFailure(
                    .usage,
                    "The value '\(assignment)' is invalid for '--option <name=value>': "
                        + "expected a name, '=' and a value."
                )
            }
            guard !members.contains(where: { $0.name == name }) else {
                throw CommandFailure(.usage, "The option '--option \(name)' is given twice.")
            }
            let isList = lists.contains(String(name))
            members.append(
                .init(
                    name: String(name),
                    value: isList ? list(text) : value(String(text))
                )
            )
        }
        return .object(members)
    }

    private static func list(_ text: Substring) -> JSONNode {
        .array(text.split(separator: ",").map { .string(String($0)) })
    }

    private static func value(_ text: String) -> JSONNode {
        switch JSONReader.read(text) {
        case .number(let number): .number(number)
        case .bool(let bool): .bool(bool)
        default: .string(text)
        }
    }
}
