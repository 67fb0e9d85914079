import ArgumentParsing
import JSONReading
import Postgres

/// `rewardctl describe job`.
enum DescribeCommand {
    /// The group of detailed views.
    static let spec = CommandSpec(
        "describe",
        overview: "Show one job in detail, and why it is not running.",
        groups: [CommandGroup("THINGS", [DescribeJob.spec])]
    )
}

/// Everything known about one job.
enum DescribeJob: Command {
    static let spec = CommandSpec(
        "job",
        aliases: ["jobs"],
        overview: "Show a job: progress, timeline, errors, what it waits for.",
        arguments: [CommonArguments.job],
        options: [
            .option(
                "output",
                short: "o",
                value: "format",
                "text for people, json for programs.",
                default: "text",
                values: ["text", "json"]
            )
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let id = try context.jobID()
        let api = try context.connect()
        guard let row = try api.job(id) else {
            throw CommandFailure(.notFound, "job \(id): not found.")
        }
        let description = JobDescription(
            row: row,
            waiting: try waiting(for: row, api),
            failures: try allowed { () throws(PostgresError) in try api.failures(job: id) } ?? [],
            events: try allowed { () throws(PostgresError) in try api.events(job: id, limit: 20) }
                ?? [],
            training: try training(of: row, api)
        )
        if context.arguments.text("output") == "json" {
            try context.output.line(description.json)
        } else {
            for line in description.lines(context.terminal) { try context.output.line(line) }
        }
        return .success
    }

    /// How far a train job is.
    private static func training(of row: JSONNode, _ api: SQLAPI) throws -> TrainingStatus? {
        let job = JobSummary(row)
        guard job.isTraining,
            let latest = try api.progress(job: job.id, after: 0, limit: 1).last
        else { return nil }
        return TrainingStatus(
            latest,
            keeping: try api.validation(job: job.id)?["data"]?["validation"]
        )
    }

    /// Why a job that could run does not; asks about queues and daemons only then.
    private static func waiting(for row: JSONNode, _ api: SQLAPI) throws -> [String] {
        let job = JobSummary(row)
        guard !job.isFinal, row["shards_running"]?.double ?? 0 == 0 else { return [] }
        return WaitingReasons(
            job: job,
            runAt: row["run_at"]?.text,
            waitSeconds: row["_wait"]?.double ?? 0,
            queue: try allowed { () throws(PostgresError) in
                try api.queues(names: [job.queue])
            }?.first,
            daemons: try allowed { () throws(PostgresError) in try api.daemons() },
            engines: try allowed { () throws(PostgresError) in try api.engines() }
        ).sentences
    }

    /// The rows, or nil when this role may not see them: a submitter sees its jobs, not the daemons.
    private static func allowed(
        _ read: () throws(PostgresError) -> [JSONNode]
    ) throws(PostgresError) -> [JSONNode]? {
        do throws(PostgresError) {
            return try read()
        } catch {
            guard error.sqlState == .insufficientPrivilege else { throw error }
            return nil
        }
    }
}
