import ArgumentParsing
import JSONReading
import Postgres

/// `rewardctl results`.
enum ResultsCommand: Command {
    static let spec = CommandSpec(
        "results",
        overview: "Write the results of a job's items.",
        discussion: """
            One line an item, in the order of the items, of those that are finished so far. Fetched in \
            pages, so a million items need no more memory than a thousand.
            """,
        arguments: [CommonArguments.job],
        options: [
            CommonArguments.format,
            .flag("failed-only", "Only items that failed."),
            CommonArguments.noHeaders,
        ],
        examples: [
            "rewardctl results 4711 > results.jsonl",
            "rewardctl results 4711 --failed-only --format table",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let id = try context.jobID()
        let failedOnly = context.arguments.flag("failed-only")
        let api = try context.connect()
        return try PagedOutput(
            csvNames: [
                "item_index", "item_id", "state", "score", "spread", "verdict", "confidence",
                "order_sensitive", "chosen_index", "rejected_index", "margin", "reason",
                "error_code", "error",
            ],
            csvCells: csvCells,
            columns: [
                .init("ITEM", numeric: true), .init("ID", mayShrink: true), .init("STATE"),
                .init("RESULT", mayShrink: true),
            ],
            tableCells: { row in
                [
                    row["item_index"]?.cell ?? "", row["item_id"]?.cell ?? "",
                    row["state"]?.cell ?? "", ResultText.summary(row),
                ]
            }
        ).write(job: id, api, context) { item throws(PostgresError) in
            try api.results(job: id, from: item, failedOnly: failedOnly)
        }
    }

    private static func csvCells(_ row: JSONNode) -> [String] {
        let result = row["result"] ?? .null
        let pair = result["pair"] ?? .null
        func text(_ name: String, of node: JSONNode) -> String { node[name]?.cell ?? "" }
        return ["item_index", "item_id", "state"].map { text($0, of: row) }
            + ["score", "spread", "verdict", "confidence", "order_sensitive"].map {
                text($0, of: result)
            }
            + ["chosen_index", "rejected_index", "margin"].map { text($0, of: pair) }
            + [text("reason", of: result)]
            + ["error_code", "error"].map { text($0, of: row) }
    }
}
