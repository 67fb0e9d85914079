import ArgumentParsing

/// `rewardctl queue create|pause|resume`.
enum QueueCommand {
    /// The group of commands about queues.
    static let spec = CommandSpec(
        "queue",
        overview: "Create, pause or resume a queue.",
        groups: [
            CommandGroup("COMMANDS", [CreateQueue.spec, PauseQueue.spec, ResumeQueue.spec])
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
        arguments: [ArgumentSpec("name", "Names of the new queues.", repeatable: true)]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "queue", context) { name in
            try api.createQueue(name)
            return "created"
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
