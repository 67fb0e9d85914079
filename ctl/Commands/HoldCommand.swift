import ArgumentParsing

/// `rewardctl hold`.
enum HoldCommand: Command {
    static let spec = CommandSpec(
        "hold",
        overview: "Set jobs aside until they are released.",
        discussion: """
            Nothing more of a held job is started. The daemons of a running job stop within a second \
            and give back what they have not finished; results that are stored stay, and no attempt is \
            used up. Holding a held job changes nothing.
            """,
        arguments: [CommonArguments.jobs],
        options: [.option("reason", value: "text", "Stored with the job's events.")],
        examples: [
            "rewardctl hold 4711 --reason 'until the new model is there'",
            "rewardctl get jobs --queue nightly --state ready -o name | xargs rewardctl hold",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let ids = try context.ids()
        let api = try context.connect()
        return try Batch.run(ids, "job", context) { id in
            try api.hold(job: id, reason: context.arguments.text("reason"))
        }
    }
}
