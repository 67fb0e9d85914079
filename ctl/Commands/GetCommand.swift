import ArgumentParsing
import JSONReading

/// `rewardctl get jobs|daemons|queues|models|engines|schedules`: lists.
enum GetCommand {
    /// The group of the lists.
    static let spec = CommandSpec(
        "get",
        overview: "List jobs, daemons, queues, trained models, remote engines or schedules.",
        groups: [
            CommandGroup(
                "LISTS",
                [
                    GetJobs.spec, GetDaemons.spec, GetQueues.spec, GetModels.spec,
                    GetEngines.spec, GetSchedules.spec,
                ]
            )
        ]
    )
}

/// `rewardctl get jobs`.
enum GetJobs: Command {
    static let spec = CommandSpec(
        "jobs",
        aliases: ["job"],
        overview: "List jobs, newest first.",
        arguments: [
            ArgumentSpec(
                "id",
                "Only these jobs.",
                format: CommonArguments.idFormat,
                required: false,
                repeatable: true
            )
        ],
        options: [
            CommonArguments.output,
            .option(
                "state",
                value: "state",
                "Only jobs in this state; may be repeated.",
                values: CommonArguments.states,
                repeatable: true
            ),
            .option("queue", value: "name", "Only jobs of this queue.", repeatable: true),
            .option(
                "kind",
                value: "kind",
                "Only jobs of this kind.",
                values: CommonArguments.kinds,
                repeatable: true
            ),
            .option(
                "number",
                short: "n",
                value: "count",
                "At most this many.",
                default: "50",
                format: .int(1...1_000_000)
            ),
            .flag("all", "All of them."),
            CommonArguments.noHeaders,
        ],
        examples: [
            "rewardctl get jobs --state running",
            "rewardctl get jobs --queue nightly --state failed -o name | xargs rewardctl retry",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let arguments = context.arguments
        let wanted = try context.ids()
        let filter = JobFilter(
            ids: wanted,
            states: arguments.texts("state"),
            queues: arguments.texts("queue"),
            kinds: arguments.texts("kind"),
            limit: arguments.flag("all") || !wanted.isEmpty ? nil : try arguments.int("number")
        )
        let rows = try context.connect().jobs(filter)
        let list = RecordList(
            rows: rows,
            idMember: "job_id",
            columns: [
                .init("ID", numeric: true), .init("STATE"), .init("KIND"), .init("QUEUE"),
                .init("PRI", numeric: true), .init("PROGRESS", numeric: true),
                .init("FAILED", numeric: true), .init("AGE", numeric: true),
                .init("BY", mayShrink: true), .init("MODEL", mayShrink: true),
            ],
            cells: { row in
                let job = JobSummary(row)
                return [
                    "\(job.id)", job.state, job.kind, job.queue, "\(job.priority)",
                    "\(job.itemsFinished)/\(job.itemsTotal)", "\(job.itemsFailed)",
                    AgeText.brief(row["_age"]?.double), job.submittedBy, job.model,
                ]
            }
        )
        try list.write(context)
        return try list.reportMissing(wanted.map(String.init), "job", context)
    }
}

/// `rewardctl get daemons`.
enum GetDaemons: Command {
    static let spec = CommandSpec(
        "daemons",
        aliases: ["daemon"],
        overview: "List daemons that run.",
        arguments: [
            ArgumentSpec(
                "id",
                "Only these daemons.",
                format: CommonArguments.idFormat,
                required: false,
                repeatable: true
            )
        ],
        options: [
            CommonArguments.output,
            .flag("all", "Include daemons that have stopped."),
            CommonArguments.noHeaders,
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let wanted = try context.ids()
        let all = context.arguments.flag("all") || !wanted.isEmpty
        let rows = try context.connect().daemons(ids: wanted, includingStopped: all)
        let list = RecordList(
            rows: rows,
            idMember: "daemon_id",
            columns: [
                .init("ID", numeric: true), .init("STATE"), .init("HOST"),
                .init("PID", numeric: true), .init("VERSION"), .init("UP", numeric: true),
                .init("BEAT", numeric: true), .init("SHARDS", numeric: true),
                .init("QUEUES", mayShrink: true),
                .init("MODELS", mayShrink: true),
            ],
            cells: { row in
                [
                    row["daemon_id"]?.cell ?? "", row["state"]?.cell ?? "",
                    row["host"]?.cell ?? "", row["pid"]?.cell ?? "", row["version"]?.cell ?? "",
                    AgeText.brief(row["_age"]?.double), AgeText.brief(row["_beat_age"]?.double),
                    row["shards_running"]?.cell ?? "", RecordList.joined(row["queues"]),
                    // Labels for sampling say nothing that the names do not.
                    RecordList.joined(row["models"]) { !$0.hasPrefix("sample/") },
                ]
            }
        )
        try list.write(context)
        return try list.reportMissing(wanted.map(String.init), "daemon", context)
    }
}

/// `rewardctl get queues`.
enum GetQueues: Command {
    static let spec = CommandSpec(
        "queues",
        aliases: ["queue"],
        overview: "List queues and what waits in them.",
        arguments: [
            ArgumentSpec("name", "Only these queues.", required: false, repeatable: true)
        ],
        options: [CommonArguments.output, CommonArguments.noHeaders]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let wanted = context.arguments.texts("name")
        let rows = try context.connect().queues(names: wanted)
        let list = RecordList(
            rows: rows,
            idMember: "name",
            columns: [
                .init("NAME"), .init("STATE"), .init("SCHEDULED", numeric: true),
                .init("READY", numeric: true), .init("RUNNING", numeric: true),
                .init("LIMIT", numeric: true), .init("KEPT", numeric: true),
                .init("SUBMITTERS", mayShrink: true),
            ],
            cells: { row in
                [
                    row["name"]?.cell ?? "",
                    row["paused_at"].map { $0 == .null } ?? true ? "active" : "paused",
                    row["scheduled"]?.cell ?? "", row["ready"]?.cell ?? "",
                    row["running"]?.cell ?? "",
                    row["max_running"]?.integer.map(String.init) ?? "none",
                    row["retention_seconds"]?.double.map { AgeText.brief($0) } ?? "always",
                    row["submitters"] == .array([]) ? "all" : RecordList.joined(row["submitters"]),
                ]
            }
        )
        try list.write(context)
        return try list.reportMissing(wanted, "queue", context)
    }
}
