import ArgumentParsing

/// `rewardctl schedule add|remove|pause|resume|run`.
enum ScheduleCommand {
    /// The group of commands about schedules.
    static let spec = CommandSpec(
        "schedule",
        overview: "Submit a job again and again, by a cron expression.",
        discussion: """
            Daemons submit a schedule's job within about a second of its time; one of them does, \
            however many run. 'rewardctl get schedules' lists schedules and what became of their last \
            slot.
            """,
        groups: [
            CommandGroup(
                "COMMANDS",
                [
                    AddSchedule.spec, RemoveSchedule.spec, PauseSchedule.spec, ResumeSchedule.spec,
                    RunSchedule.spec,
                ]
            )
        ]
    )

    /// The names given to a command.
    static let names = ArgumentSpec(
        "name",
        "Schedules, as printed by 'rewardctl get schedules'.",
        repeatable: true
    )
}

/// `rewardctl schedule remove`.
enum RemoveSchedule: Command {
    static let spec = CommandSpec(
        "remove",
        overview: "Remove schedules; their jobs stay.",
        arguments: [ScheduleCommand.names]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "schedule", context) { name in
            try api.dropSchedule(name)
            return "removed"
        }
    }
}

/// `rewardctl schedule pause`.
enum PauseSchedule: Command {
    static let spec = CommandSpec(
        "pause",
        overview: "Submit nothing more for schedules; jobs go on.",
        arguments: [ScheduleCommand.names]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "schedule", context) { name in
            try api.pauseSchedule(name)
            return "paused"
        }
    }
}

/// `rewardctl schedule resume`.
enum ResumeSchedule: Command {
    static let spec = CommandSpec(
        "resume",
        overview: "Go on with paused schedules at their next time.",
        discussion: "Times that passed in the pause do not count as missed.",
        arguments: [ScheduleCommand.names]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "schedule", context) { name in
            try api.resumeSchedule(name)
            return "resumed"
        }
    }
}

/// `rewardctl schedule run`.
enum RunSchedule: Command {
    static let spec = CommandSpec(
        "run",
        overview: "Submit the job of schedules now, beside their plan.",
        discussion: """
            Does so while a schedule is paused or its previous job runs. The job belongs to whoever \
            added the schedule.
            """,
        arguments: [ScheduleCommand.names],
        examples: ["rewardctl schedule run nightly"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let api = try context.connect()
        return try Batch.run(context.arguments.texts("name"), "schedule", context) { name in
            "submitted job \(try api.runSchedule(name))"
        }
    }
}
