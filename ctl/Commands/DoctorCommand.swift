import ArgumentParsing
import Postgres

/// `rewardctl doctor`: looks for what is wrong with the database and the daemons.
enum DoctorCommand: Command {
    static let spec = CommandSpec(
        "doctor",
        overview: "Look for what is wrong, and say what to do. Changes nothing.",
        discussion: """
            Compares the schema with what the migrations made: functions, tables, views, indexes, \
            triggers, owners, grants. Looks for what keeps vacuum from removing dead rows (old and \
            prepared transactions, replication slots) and for tables full of them; for clocks that \
            differ, notifications that do not arrive, dead daemons, work that no daemon will take, \
            and shards that are stuck.

            Each finding tells its subject, what was expected, what was found, and a remedy, with \
            the SQL statement where there is one. It is a problem (work stops or may be lost), a \
            warning (it goes on, but worse), a note (not wrong), or not checked, where the role may \
            not look. Exits with 1 when there is a problem or a warning, else with 0.

            A member of rewardd_admin or rewardd_read is enough; transactions of other roles are \
            seen by members of pg_read_all_stats.
            """,
        options: [
            .flag("json", "Print one JSON document instead of text."),
            .option(
                "transaction-age",
                value: "duration",
                "Report transactions older than this; 12 times as old is a problem.",
                default: "5m",
                format: .duration
            ),
            .option(
                "shard-patience",
                value: "duration",
                "Report shards that run without progress for this long.",
                default: "30m",
                format: .duration
            ),
        ],
        examples: [
            "rewardctl doctor",
            "rewardctl doctor --json | jq -r '.items[] | [.severity, .subject] | @tsv'",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        var examination = Examination(
            api: try context.connect(),
            connectAgain: { try context.connect() }
        )
        if let age = try context.arguments.duration("transaction-age") {
            examination.transactionAge = age
        }
        if let patience = try context.arguments.duration("shard-patience") {
            examination.shardPatience = patience
        }
        let report = try examination.report()
        if context.arguments.flag("json") {
            try context.output.line(report.json)
        } else {
            for line in report.lines { try context.output.line(line) }
            try context.output.flush()
            context.say(report.summary)
        }
        return report.isHealthy ? .success : .failure
    }
}
