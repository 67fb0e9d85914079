import ArgumentParsing

/// `rewardctl cancel`.
enum CancelCommand: Command {
    static let spec = CommandSpec(
        "cancel",
        overview: "Cancel jobs; running ones stop within a second.",
        discussion: """
            Waiting jobs are cancelled at once. The daemons of a running job are asked to stop; \
            results that are stored stay. Jobs that have ended are left alone and reported.

            With --force a job ends at once: what its daemons send afterwards is refused. For a daemon \
            that does not answer; it also ends a job that is being cancelled already.
            """,
        arguments: [CommonArguments.jobs],
        options: [
            .option("reason", value: "text", "Stored with the job."),
            .flag("force", "Do not wait for the daemons."),
        ],
        examples: [
            "rewardctl cancel 4711",
            "rewardctl cancel 4711 --force --reason 'the daemon hangs'",
            "rewardctl get jobs --kind build_pairs --state running -o name | xargs rewardctl cancel",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let ids = try context.ids()
        let api = try context.connect()
        return try Batch.run(ids, "job", context) { id in
            let state = try api.cancel(
                job: id,
                reason: context.arguments.text("reason"),
                force: context.arguments.flag("force")
            )
            return state == "cancelled" ? state : "\(state), asked to stop"
        }
    }
}
