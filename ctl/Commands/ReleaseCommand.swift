import ArgumentParsing

/// `rewardctl release`.
enum ReleaseCommand: Command {
    static let spec = CommandSpec(
        "release",
        overview: "Take up held jobs again.",
        discussion: """
            A released job goes on where it was: items that were judged before it was held are not \
            judged again.
            """,
        arguments: [CommonArguments.jobs],
        examples: [
            "rewardctl release 4711",
            "rewardctl get jobs --state held -o name | xargs rewardctl release",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let ids = try context.ids()
        let api = try context.connect()
        return try Batch.run(ids, "job", context) { id in try api.release(job: id) }
    }
}
