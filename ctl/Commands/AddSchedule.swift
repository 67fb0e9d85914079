import ArgumentParsing
import JSONReading
import Postgres

/// `rewardctl schedule add`: a submission to repeat.
enum AddSchedule: Command {
    static let spec = CommandSpec(
        "add",
        overview: "Add a schedule, or change one.",
        discussion: """
            The items are read now, as 'rewardctl submit' reads them, and submitted as a job at every \
            time of the expression:

              ┌ minute 0-59
              │ ┌ hour 0-23
              │ │ ┌ day of month 1-31
              │ │ │ ┌ month 1-12 or jan-dec
              │ │ │ │ ┌ day of week 0-7 or sun-sat; 0 and 7 are Sunday
              0 2 * * *               every night at 2
              */15 8-17 * * mon-fri   every quarter of an hour of a working day
              0 6 1,15 * *            on the 1st and the 15th at 6

            or @hourly, @daily, @weekly, @monthly, @yearly. With both days given, either is enough. \
            --dry-run shows the next times.

            Clocks of the zone that go forward: a time they jump over is the first moment after the \
            jump. Clocks that go back: a time that comes twice is the first of the two, but an \
            expression with * as minute or hour goes on by elapsed time.

            The same schedule added again changes nothing; --replace changes one that is different. \
            Daemons read the image files anew each time; a question that is the same to the bit as an \
            earlier one is answered from memory, unless --option reuse=false.
            """,
        arguments: [
            ArgumentSpec("name", "Name of the schedule, one in the database."),
            ArgumentSpec("kind", "What is asked about each item.", values: kinds),
        ],
        options: [
            .option("cron", value: "expression", "When, such as '0 2 * * *'.", required: true),
            .option(
                "tz",
                value: "zone",
                "Time zone of the expression, such as Europe/Berlin.",
                default: "UTC"
            ),
            .option(
                "misfire",
                value: "policy",
                "Times missed while no daemon ran: one job for all, a job for each (if --overlap allows "
                    + "it), none.",
                default: "coalesce",
                values: ["coalesce", "catch_up", "skip"]
            ),
            .option(
                "overlap",
                value: "policy",
                "While the previous job has not ended: submit anyway, not at all, or when it ends.",
                default: "skip",
                values: ["allow", "skip", "queue"]
            ),
            .option(
                "task",
                value: "task",
                "What is judged.",
                values: CommonArguments.tasks,
                required: true
            ),
            .option(
                "model",
                value: "name",
                "Model that judges, as daemons name it.",
                required: true
            ),
            .option(
                "items",
                value: "file",
                "JSONL file, or - for standard input.",
                required: true
            ),
            .option(
                "option",
                value: "name=value",
                "Option of the job, as in 'rewardctl submit'; may be repeated.",
                repeatable: true
            ),
            .option("queue", value: "name", "Queue that takes the jobs.", default: "default"),
            .option(
                "priority",
                value: "n",
                "From -1000 to 1000; higher is sooner.",
                defaultText: "0",
                format: .int(-1000...1000)
            ),
            .flag("upload-media", "Store the image files in the database now."),
            .flag("replace", "Change a schedule of that name."),
            .flag("dry-run", "Check everything, show the next times, and add nothing."),
        ],
        examples: [
            "rewardctl schedule add nightly point_score --cron '0 2 * * *' --tz Europe/Berlin \\",
            "  --task image_generation --model scenes --items night.jsonl",
            "rewardctl schedule add hourly build_pairs --cron @hourly --misfire skip --overlap queue \\",
            "  --task image_generation --model scenes --items candidates.jsonl --dry-run",
        ]
    )

    /// The kinds that judge: a training is a decision, not a habit.
    private static let kinds = CommonArguments.kinds.filter { $0 != CommonArguments.trainKind }

    /// Times that `--dry-run` shows.
    private static let previewCount = 3

    /// The arguments of the function by the options that they come from.
    private static let renames = [
        "name: ": "<name>: ", "cron: ": "--cron: ", "time_zone: ": "--tz: ",
        "misfire: ": "--misfire: ", "overlap: ": "--overlap: ",
    ]

    static func run(_ context: CommandContext) throws -> ExitCode {
        var request = try request(context.arguments)
        let (items, rules) = try SubmitCommand.read(context)
        let api = try context.connect()
        do {
            request.submission.items = try SubmitCommand.json(of: items, rules, api, context)
            context.terminal.clearStatus()
            return try add(request, api, context)
        } catch let error as PostgresError where !error.isConnectionLost {
            throw SubmitCommand.located(FailureTable.failure(error), items, renames)
        }
    }

    private static func add(
        _ request: ScheduleRequest,
        _ api: SQLAPI,
        _ context: CommandContext
    ) throws -> ExitCode {
        if context.arguments.flag("dry-run") {
            let outcome = try api.tryCreateSchedule(request)
            let slots = try api.slots(
                cron: request.cron,
                timeZone: request.timeZone,
                count: previewCount
            )
            for slot in slots { try context.output.line(AgeText.moment(slot)) }
            try context.output.flush()
            context.say("Schedule \(request.name) would be \(outcome); above are its next times.")
            return .success
        }
        let (outcome, next) = try api.createSchedule(request)
        try context.output.line("schedule \(request.name): \(outcome)")
        try context.output.flush()
        context.say(next.map { "It comes next at \(AgeText.moment($0))." } ?? "It is paused.")
        return .success
    }

    private static func request(_ arguments: ParsedArguments) throws -> ScheduleRequest {
        ScheduleRequest(
            name: try arguments.requiredText("name"),
            cron: try arguments.requiredText("cron"),
            timeZone: try arguments.requiredText("tz"),
            misfire: try arguments.requiredText("misfire"),
            overlap: try arguments.requiredText("overlap"),
            replaces: arguments.flag("replace"),
            submission: EnqueueRequest(
                kind: try arguments.requiredText("kind"),
                task: try arguments.requiredText("task"),
                model: try arguments.requiredText("model"),
                items: [],
                options: try JobOptions.object(
                    arguments.texts("option"),
                    lists: ["templates"]
                ).json,
                queue: try arguments.requiredText("queue"),
                priority: try arguments.int("priority")
            )
        )
    }
}
