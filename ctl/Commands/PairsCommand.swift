import ArgumentParsing
import JSONReading
import Postgres

/// `rewardctl pairs`.
enum PairsCommand: Command {
    static let spec = CommandSpec(
        "pairs",
        overview: "Write the preference pairs of a build_pairs job.",
        discussion: "One line a pair, in the order of the items, of those that were found so far.",
        arguments: [CommonArguments.job],
        options: [CommonArguments.format, CommonArguments.noHeaders],
        examples: ["rewardctl pairs 4711 > pairs.jsonl"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let id = try context.jobID()
        let api = try context.connect()
        let names = [
            "item_index", "item_id", "chosen_index", "rejected_index", "chosen", "rejected",
            "chosen_score", "rejected_score", "margin",
        ]
        return try PagedOutput(
            csvNames: names,
            csvCells: { row in
                names.map { name in
                    name == "chosen" || name == "rejected"
                        ? ResultText.candidate(row[name]) : row[name]?.cell ?? ""
                }
            },
            columns: [
                .init("ITEM", numeric: true), .init("ID", mayShrink: true),
                .init("MARGIN", numeric: true), .init("CHOSEN", mayShrink: true),
                .init("SCORE", numeric: true), .init("REJECTED", mayShrink: true),
                .init("SCORE", numeric: true),
            ],
            tableCells: { row in
                [
                    row["item_index"]?.cell ?? "", row["item_id"]?.cell ?? "",
                    ResultText.number(row["margin"]), ResultText.candidate(row["chosen"]),
                    ResultText.number(row["chosen_score"]),
                    ResultText.candidate(row["rejected"]),
                    ResultText.number(row["rejected_score"]),
                ]
            }
        ).write(job: id, api, context) { item throws(PostgresError) in
            try api.pairs(job: id, from: item)
        }
    }
}
