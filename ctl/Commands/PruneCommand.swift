import ArgumentParsing
import JSONReading

/// `rewardctl prune`: removes ended jobs.
enum PruneCommand: Command {
    static let spec = CommandSpec(
        "prune",
        overview: "Remove jobs that ended some time ago, with all that came of them.",
        discussion: """
            Their items, results, pairs, judgements and events go, and uploaded files that no other job of \
            the uploader uses. Judgements that other jobs rest on and trained models stay. It works in \
            short transactions beside everything else and can be interrupted; daemons then finish what \
            was begun. 'rewardctl queue set NAME --retention 30d' has daemons do this by themselves.
            """,
        options: [
            .option(
                "older-than",
                value: "duration",
                "Jobs that ended longer ago than that.",
                format: ageFormat,
                required: true
            ),
            .option("queue", value: "name", "Only jobs of this queue."),
            .flag("dry-run", "Only say what would be removed."),
        ],
        examples: [
            "rewardctl prune --older-than 90d --dry-run",
            "rewardctl prune --older-than 7d --queue nightly",
        ]
    )

    private static let ageFormat = ValueFormat(
        expectation: "\(DurationText.expectation) of 1m or more"
    ) { text in
        DurationText.parse(text).map { $0 >= .seconds(60) } ?? false
    }

    static func run(_ context: CommandContext) throws -> ExitCode {
        guard let age = DurationText.parse(try context.arguments.requiredText("older-than")) else {
            throw context.arguments.invalid("older-than", ageFormat.expectation)
        }
        let queue = context.arguments.text("queue")
        let api = try context.connect()
        if context.arguments.flag("dry-run") {
            let lanes = try api.prunable(olderThan: age, queue: queue)
            for lane in lanes { try context.output.line(sentence(lane)) }
            if lanes.isEmpty { context.say("Nothing to remove.") }
            return .success
        }
        var (jobs, rows): (Int64, Int64) = (0, 0)
        while true {
            let removed = try api.prune(olderThan: age, queue: queue)
            if removed.rows == 0 { break }
            jobs += removed.jobs
            rows += removed.rows
        }
        try context.output.line(
            "removed \(NumberText.counted(jobs, "job")), \(NumberText.counted(rows, "row"))"
        )
        return .success
    }

    private static func sentence(_ lane: JSONNode) -> String {
        let jobs = NumberText.counted(lane["jobs"]?.integer ?? 0, "job")
        let items = NumberText.counted(lane["items"]?.integer ?? 0, "item")
        return "queue \(lane["name"]?.cell ?? ""): \(jobs), \(items), the oldest ended "
            + "\(AgeText.brief(lane["_age"]?.double)) ago"
    }
}
