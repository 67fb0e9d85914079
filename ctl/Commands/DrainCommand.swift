import ArgumentParsing

/// `rewardctl drain`.
enum DrainCommand: Command {
    static let spec = CommandSpec(
        "drain",
        overview: "Let daemons finish what they run, start nothing new, and stop.",
        arguments: [
            ArgumentSpec(
                "id",
                "Daemon ids, as printed by 'rewardctl get daemons'.",
                format: CommonArguments.idFormat,
                repeatable: true
            )
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let ids = try context.ids()
        let api = try context.connect()
        return try Batch.run(ids, "daemon", context) { id in
            try api.drainDaemon(id)
            return "draining"
        }
    }
}
