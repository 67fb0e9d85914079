import ArgumentParsing

/// `rewardctl queue create|set|pause|resume|grant|revoke`.
enum QueueCommand {
    /// The group of commands about queues.
    static let spec = CommandSpec(
        "queue",
        overview: "Create, change, pause or resume a queue, or say who may submit to it.",
        groups: [
            CommandGroup(
                "COMMANDS",
                [
                    CreateQueue.spec, SetQueue.spec, PauseQueue.spec, ResumeQueue.spec,
                    GrantQueue.spec, RevokeQueue.spec,
                ]
            )
        ]
    )

    /// The names given to a command.
    static let names = ArgumentSpec(
        "name",
        "Queues, as printed by 'rewardctl get queues'.",
        repeatable: true
    )
}

/// `rewardctl queue create`.
enum CreateQueue: Command {
    static let spec = CommandSpec(
        "create",
        overview: "Create a queue.",
        arguments: [ArgumentSpec("name", "Names of the new queues.", repeatable: true)],
        options: QueueSettings.options,
        examples: ["rewardctl queue create nightly --max-running 4 --retention 30d"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let settings = try QueueSettings(context.arguments)
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "queue", context) { name in
            try api.createQueue(name, settings)
            return "created"
        }
    }
}

/// `rewardctl queue set`.
enum SetQueue: Command {
    static let spec = CommandSpec(
        "set",
        overview: "Change the limit or the retention of a queue.",
        discussion: """
            An option that is not given leaves its setting as it is; 'none' takes a limit away, or keeps \
            ended jobs for ever. What runs goes on, also above a lowered limit.
            """,
        arguments: [QueueCommand.names],
        options: QueueSettings.options,
        examples: [
            "rewardctl queue set nightly --max-running 8",
            "rewardctl queue set nightly --max-running none --retention 90d",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let settings = try QueueSettings(context.arguments)
        guard !settings.isEmpty else {
            throw CommandFailure(
                .usage,
                "queue set: expected --max-running or --retention, got neither."
            )
        }
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "queue", context) { name in
            try api.setQueue(name, settings)
            return "set"
        }
    }
}

/// `rewardctl queue pause`.
enum PauseQueue: Command {
    static let spec = CommandSpec(
        "pause",
        overview: "Stop starting work of a queue; what runs goes on.",
        arguments: [QueueCommand.names]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "queue", context) { name in
            try api.pauseQueue(name)
            return "paused"
        }
    }
}

/// `rewardctl queue resume`.
enum ResumeQueue: Command {
    static let spec = CommandSpec(
        "resume",
        overview: "Start work of a paused queue again.",
        arguments: [QueueCommand.names]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "queue", context) { name in
            try api.resumeQueue(name)
            return "resumed"
        }
    }
}
