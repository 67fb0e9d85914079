import ArgumentParsing
import JSONReading

/// `rewardctl get engines`.
enum GetEngines: Command {
    static let spec = CommandSpec(
        "engines",
        aliases: ["engine"],
        overview: "List servers that daemons ask in place of computing, and whether they answer.",
        discussion: """
            Each daemon tells how it finds the servers of its configuration: requests in flight, \
            answered and failed since it started, and the last error, which -o json has in full.
            """,
        arguments: [
            ArgumentSpec("model", "Only of these models.", required: false, repeatable: true)
        ],
        options: [
            CommonArguments.output,
            .flag("all", "Include those of daemons that have stopped."),
            CommonArguments.noHeaders,
        ],
        examples: ["rewardctl get engines", "rewardctl get engines unifiedreward -o json"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let wanted = context.arguments.texts("model")
        let rows = try context.connect().engines(
            models: wanted,
            includingStopped: context.arguments.flag("all")
        )
        let list = RecordList(
            rows: rows,
            idMember: "model",
            columns: [
                .init("MODEL"), .init("STATE"), .init("DAEMON", numeric: true), .init("HOST"),
                .init("IN FLIGHT", numeric: true), .init("ANSWERED", numeric: true),
                .init("FAILED", numeric: true), .init("SEEN", numeric: true),
                .init("URL", mayShrink: true), .init("LAST ERROR", mayShrink: true),
            ],
            cells: { row in
                [
                    row["model"]?.cell ?? "", row["state"]?.cell ?? "",
                    row["daemon_id"]?.cell ?? "", row["host"]?.cell ?? "",
                    row["in_flight"]?.cell ?? "", row["answered"]?.cell ?? "",
                    row["failed"]?.cell ?? "", AgeText.brief(row["_age"]?.double),
                    row["url"]?.cell ?? "", row["error"]?.cell ?? "",
                ]
            }
        )
        try list.write(context)
        return try list.reportMissing(wanted, "engine", context)
    }
}
