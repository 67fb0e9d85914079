import ArgumentParsing

/// All commands: how they are grouped in `--help`, and which type runs each.
enum CommandTree {
    /// The command types by the words that choose them.
    static let commands: [[String]: any Command.Type] = [
        ["submit"]: SubmitCommand.self,
        ["get", "jobs"]: GetJobs.self,
        ["get", "daemons"]: GetDaemons.self,
        ["get", "queues"]: GetQueues.self,
        ["get", "models"]: GetModels.self,
        ["get", "engines"]: GetEngines.self,
        ["get", "schedules"]: GetSchedules.self,
        ["describe", "job"]: DescribeJob.self,
        ["watch"]: WatchCommand.self,
        ["results"]: ResultsCommand.self,
        ["pairs"]: PairsCommand.self,
        ["export"]: ExportCommand.self,
        ["evaluate"]: EvaluateCommand.self,
        ["cancel"]: CancelCommand.self,
        ["hold"]: HoldCommand.self,
        ["release"]: ReleaseCommand.self,
        ["retry"]: RetryCommand.self,
        ["queue", "create"]: CreateQueue.self,
        ["queue", "set"]: SetQueue.self,
        ["queue", "grant"]: GrantQueue.self,
        ["queue", "revoke"]: RevokeQueue.self,
        ["queue", "pause"]: PauseQueue.self,
        ["queue", "resume"]: ResumeQueue.self,
        ["schedule", "add"]: AddSchedule.self,
        ["schedule", "remove"]: RemoveSchedule.self,
        ["schedule", "pause"]: PauseSchedule.self,
        ["schedule", "resume"]: ResumeSchedule.self,
        ["schedule", "run"]: RunSchedule.self,
        ["drain"]: DrainCommand.self,
        ["prune"]: PruneCommand.self,
        ["migrate"]: MigrateCommand.self,
        ["doctor"]: DoctorCommand.self,
        ["version"]: VersionCommand.self,
    ]

    /// The whole tool.
    static let root = CommandSpec(
        "rewardctl",
        overview: "Administer a rewardd job queue.",
        discussion: """
            Talks to PostgreSQL only, through the SQL functions and views of schema "rewardd"; no \
            daemon needs to run. Data goes to standard output, messages go to standard error.
            """,
        options: [DatabaseLocation.option],
        groups: [
            CommandGroup(
                "JOBS",
                [
                    SubmitCommand.spec, ScheduleCommand.spec, GetCommand.spec, DescribeCommand.spec,
                    WatchCommand.spec, HoldCommand.spec, ReleaseCommand.spec, CancelCommand.spec,
                    RetryCommand.spec,
                ]
            ),
            CommandGroup(
                "DATA",
                [
                    ResultsCommand.spec, PairsCommand.spec, ExportCommand.spec,
                    EvaluateCommand.spec,
                ]
            ),
            CommandGroup("QUEUES AND DAEMONS", [QueueCommand.spec, DrainCommand.spec]),
            CommandGroup(
                "MAINTENANCE",
                [
                    PruneCommand.spec, MigrateCommand.spec, DoctorCommand.spec,
                    VersionCommand.spec,
                ]
            ),
        ],
        footnote: """
            Exit codes: 0 done, 1 a job, its items or a check failed, 2 usage, 3 not found, 4 not \
            possible in this state, 5 database unreachable, 6 permission denied, 7 timeout, 130 \
            interrupted.
            """
    )
}
