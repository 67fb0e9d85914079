import ArgumentParsing

/// `rewardctl retry`.
enum RetryCommand: Command {
    static let spec = CommandSpec(
        "retry",
        overview: "Re-open the failed items of jobs.",
        discussion: """
            Items that were judged stay as they are; items that failed, or that a cancelled job left \
            undone, are judged again.
            """,
        arguments: [CommonArguments.jobs],
        examples: ["rewardctl retry 4711 && rewardctl watch 4711"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let ids = try context.ids()
        let api = try context.connect()
        return try Batch.run(ids, "job", context) { id in
            "\(NumberText.counted(try api.retry(job: id), "item")) re-opened"
        }
    }
}
