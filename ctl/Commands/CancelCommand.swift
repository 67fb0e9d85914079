import ArgumentParsing

/// `rewardctl cancel`.
enum CancelCommand: Command {
    static let spec = CommandSpec(
        "cancel",
        overview: "Cancel jobs; running ones stop within a second.",
        discussion: """
            Waiting jobs are cancelled at once. The daemons of a running job are asked to stop; \
            results that are stored stay. Jobs that have ended are left alone and reported.
            """,
        arguments: [CommonArguments.jobs],
        options: [.option("reason", value: "text", "Stored with the job.")],
        examples: [
            "rewardctl cancel 4711",
            "rewardctl get jobs --kind build_pairs --state running -o name | xargs rewardctl cancel",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let ids = try context.ids()
        let api = try context.connect()
        return try Batch.run(ids, "job", context) { id in
            let state = try api.cancel(job: id, reason: context.arguments.text("reason"))
            return state == "cancelled" ? state : "\(state), asked to stop"
        }
    }
}
