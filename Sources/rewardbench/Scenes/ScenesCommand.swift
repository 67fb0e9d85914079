import ArgumentParsing
import SyntheticScenes

/// `rewardbench scenes`: everything a model of drawn scenes is made from.
enum ScenesCommand {
    static let spec = CommandSpec(
        "scenes",
        overview: "Make what a model of drawn scenes is trained from.",
        discussion: """
            Scenes are drawn from a seed: simple shapes whose colours, places and movements are known, so \
            that every picture, caption and answer has a true grade. The same seed gives the same bytes on \
            every machine.
            """,
        groups: [
            CommandGroup(
                "DATA",
                [SceneDatasetCommand.spec, ScenePictureCommand.spec]
            ),
            CommandGroup("MODEL", [SceneTokenizerCommand.spec, SceneBaseCommand.spec]),
        ]
    )

    /// Runs the subcommand that was chosen.
    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        switch arguments.command.dropFirst().first {
        case "base": try SceneBaseCommand.run(arguments)
        case "dataset": try SceneDatasetCommand.run(arguments)
        case "picture": try ScenePictureCommand.run(arguments)
        default: try SceneTokenizerCommand.run(arguments)
        }
    }
}

/// Options that several subcommands of `scenes` and `accuracy` share.
enum SceneOptions {
    /// `--seed S`.
    static let seed = OptionSpec.option(
        "seed",
        value: "n",
        "Where the random numbers begin.",
        default: "1",
        format: ValueFormat(expectation: "a whole number from 0 to 18446744073709551615") {
            UInt64($0) != nil
        }
    )

    /// `--tasks a,b`; the values are checked by `tasks(_:)`.
    static func tasks(default text: String) -> OptionSpec {
        .option(
            "tasks",
            value: "names",
            "Tasks, separated by commas: "
                + SceneTask.allCases.map(\.rawValue).joined(separator: ", ")
                + ".",
            default: text,
            format: ValueFormat(
                expectation: "names of "
                    + SceneTask.allCases.map(\.rawValue).joined(separator: ", ")
                    + ", separated by commas"
            ) { names($0) != nil }
        )
    }

    /// The value of `--seed`.
    static func seed(_ arguments: ParsedArguments) -> UInt64 {
        arguments.text("seed").flatMap { UInt64($0) } ?? 1
    }

    /// The value of `--tasks`, in the order of `SceneTask.allCases`.
    static func tasks(_ arguments: ParsedArguments) -> [SceneTask] {
        let chosen = names(arguments.text("tasks") ?? "") ?? []
        return SceneTask.allCases.filter(chosen.contains)
    }

    private static func names(_ text: String) -> [SceneTask]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let tasks = parts.compactMap { SceneTask(rawValue: String($0)) }
        return tasks.count == parts.count && !tasks.isEmpty ? tasks : nil
    }
}
