import ArgumentParsing
import JSONReading

/// `rewardctl get models`.
enum GetModels: Command {
    static let spec = CommandSpec(
        "models",
        aliases: ["model"],
        overview: "List models that train jobs made.",
        discussion: """
            A model is offered while a daemon runs that can use it, absent otherwise, replaced when \
            a later job with the option replace=true took its name. Models that daemons are \
            configured with are in 'rewardctl get daemons'.
            """,
        arguments: [
            ArgumentSpec("name", "Only these models.", required: false, repeatable: true)
        ],
        options: [
            CommonArguments.output,
            .flag("all", "Include models that were replaced."),
            CommonArguments.noHeaders,
        ],
        examples: ["rewardctl get models", "rewardctl get models scenes-2 -o json"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let wanted = context.arguments.texts("name")
        let rows = try context.connect().models(
            names: wanted,
            includingReplaced: context.arguments.flag("all")
        )
        let list = RecordList(
            rows: rows,
            idMember: "name",
            columns: [
                .init("NAME"), .init("STATE"), .init("BASE"), .init("JOB", numeric: true),
                .init("AGE", numeric: true), .init("HOST"), .init("DIGEST"),
                .init("DIRECTORY", mayShrink: true),
            ],
            cells: { row in
                [
                    row["name"]?.cell ?? "", state(row), row["base"]?.cell ?? "",
                    row["job_id"]?.cell ?? "", AgeText.brief(row["_age"]?.double),
                    row["host"]?.cell ?? "", String((row["digest"]?.cell ?? "").prefix(12)),
                    row["directory"]?.cell ?? "",
                ]
            }
        )
        try list.write(context)
        return try list.reportMissing(wanted, "model", context)
    }

    private static func state(_ row: JSONNode) -> String {
        if row["replaced"] == .bool(true) { return "replaced" }
        return row["daemons"]?.integer ?? 0 > 0 ? "offered" : "absent"
    }
}
