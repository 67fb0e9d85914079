import ArgumentParsing
import JSONReading

/// `rewardctl get schedules`.
enum GetSchedules: Command {
    static let spec = CommandSpec(
        "schedules",
        aliases: ["schedule"],
        overview: "List schedules, when they come next and what became of the last slot.",
        discussion: """
            LAST is how long ago the last slot was, JOB the last job submitted. A slot is enqueued, \
            waiting for the end of the previous job, skipped, or refused; -o json has the reason.
            """,
        arguments: [
            ArgumentSpec("name", "Only these schedules.", required: false, repeatable: true)
        ],
        options: [CommonArguments.output, CommonArguments.noHeaders],
        examples: ["rewardctl get schedules", "rewardctl get schedules nightly -o json"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let wanted = context.arguments.texts("name")
        let rows = try context.connect().schedules(names: wanted)
        let list = RecordList(
            rows: rows,
            idMember: "name",
            columns: [
                .init("NAME"), .init("STATE"), .init("CRON"), .init("ZONE"), .init("NEXT"),
                .init("LAST", numeric: true), .init("OUTCOME"), .init("JOB", numeric: true),
                .init("JOB STATE"), .init("BY", mayShrink: true), .init("MODEL", mayShrink: true),
            ],
            cells: { row in
                [
                    row["name"]?.cell ?? "", state(row), row["cron"]?.cell ?? "",
                    row["time_zone"]?.cell ?? "", row["next_slot"]?.text.map(AgeText.moment) ?? "",
                    AgeText.brief(row["_last_age"]?.double), row["last_outcome"]?.cell ?? "",
                    row["last_job"]?.cell ?? "", row["last_job_state"]?.cell ?? "",
                    row["submitted_by"]?.cell ?? "", row["model"]?.cell ?? "",
                ]
            }
        )
        try list.write(context)
        return try list.reportMissing(wanted, "schedule", context)
    }

    private static func state(_ row: JSONNode) -> String {
        row["paused_at"]?.text == nil ? "active" : "paused"
    }
}
