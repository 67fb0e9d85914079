import ArgumentParsing
import FoundationEssentials
import Glibc
import JSONReading
import Postgres

/// `rewardctl submit`: a job from a file of items.
enum SubmitCommand: Command {
    static let spec = CommandSpec(
        "submit",
        overview: "Submit a job and print its id.",
        discussion: """
            Items come from a file with one JSON object a line, or from standard input. Their fields \
            depend on kind and task; each may carry an "id" of yours, which comes back with its \
            result:

              point_score   image_generation      caption, image
                            image_understanding   question, image, response
              pair_rank     image_generation      caption, first, second
                            image_understanding   question, image, first, second
              build_pairs   image_generation      caption, candidates
                            image_understanding   question, image, candidates

            Images are file paths on the daemon's machine; relative ones start from the directory of \
            the items file. With --upload-media the files are read here and stored in the database.

            Options of a job: answer=choices|generate, orders=both|single, reuse=true|false, \
            margin_minimum=<number>, max_new_tokens=<n>, shard_size=<n>, max_attempts=<n>.
            """,
        arguments: [
            ArgumentSpec("kind", "What is asked about each item.", values: CommonArguments.kinds)
        ],
        options: [
            .option(
                "task",
                value: "task",
                "What is judged.",
                values: CommonArguments.tasks,
                required: true
            ),
            .option("model", value: "name", "Model, as daemons name it.", required: true),
            .option(
                "items",
                value: "file",
                "JSONL file, or - for standard input.",
                required: true
            ),
            .option(
                "option",
                value: "name=value",
                "Option of the job, such as orders=single; may be repeated.",
                repeatable: true
            ),
            .option("queue", value: "name", "Queue that takes the job.", default: "default"),
            .option(
                "priority",
                value: "n",
                "From -1000 to 1000; higher is sooner.",
                default: "0",
                format: .int(-1000...1000)
            ),
            .option(
                "at",
                value: "time",
                "Start no earlier, such as 02:00 or 2026-11-23T02:00Z.",
                format: MomentText.format
            ),
            .option(
                "in",
                value: "duration",
                "Start no earlier than this from now, such as 2h.",
                format: .duration
            ),
            .option(
                "key",
                value: "text",
                "Idempotency key: the same submission again is the same job.",
                format: .text
            ),
            .flag("upload-media", "Store the image files in the database."),
            .flag("watch", "Follow the job as 'rewardctl watch' does."),
            .flag("dry-run", "Check everything, against the database too, and submit nothing."),
        ],
        examples: [
            "rewardctl submit point_score --task image_generation --model scenes --items night.jsonl",
            "rewardctl submit build_pairs --task image_generation --model scenes --items - --at 02:00 \\",
            "  --option orders=single < candidates.jsonl",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let arguments = context.arguments
        var request = try request(arguments)
        let path = try arguments.requiredText("items")
        let rules = MediaPaths(
            directory: MediaPaths.directory(
                ofItems: path,
                workingDirectory: FileManager.default.currentDirectoryPath
            ),
            task: request.task
        )
        let items = try read(path, rules, context.terminal)
        let api = try context.connect()
        let isDryRun = arguments.flag("dry-run")
        do {
            if arguments.flag("upload-media"), !isDryRun {
                request.items = try MediaUpload(rules: rules, api: api).replacePaths(
                    of: items,
                    context.terminal
                )
            } else {
                request.items = items.json
            }
            context.terminal.status("Submitting \(NumberText.counted(items.count, "item"))…")
            defer { context.terminal.clearStatus() }
            if isDryRun {
                try api.tryEnqueue(request)
                context.terminal.clearStatus()
                context.say("Would submit \(summary(request, items)).")
                return .success
            }
            let (id, isNew) = try api.enqueue(request)
            context.terminal.clearStatus()
            try context.output.line("\(id)")
            try context.output.flush()
            context.say(
                isNew
                    ? "Submitted job \(id): \(summary(request, items))."
                    : "Job \(id) has this key already; nothing was submitted."
            )
            return arguments.flag("watch")
                ? try JobWatcher(id: id, deadline: nil).run(api, context) : .success
        } catch let error as PostgresError where !error.isConnectionLost {
            throw located(FailureTable.failure(error), items)
        }
    }

    private static func request(_ arguments: ParsedArguments) throws -> EnqueueRequest {
        if arguments.text("at") != nil, arguments.text("in") != nil {
            throw arguments.usageError("The options '--at' and '--in' exclude each other.")
        }
        return EnqueueRequest(
            kind: try arguments.requiredText("kind"),
            task: try arguments.requiredText("task"),
            model: try arguments.requiredText("model"),
            items: [],
            options: try JobOptions.object(arguments.texts("option")).json,
            queue: try arguments.requiredText("queue"),
            priority: try arguments.int("priority") ?? 0,
            runAt: arguments.text("at").flatMap { MomentText.parse($0, now: time(nil)) },
            delaySeconds: try arguments.duration("in").map { $0 / .seconds(1) } ?? 0,
            key: arguments.text("key")
        )
    }

    private static func read(
        _ path: String,
        _ rules: MediaPaths,
        _ terminal: Terminal
    ) throws(CommandFailure) -> ItemsFile {
        let reader = try LineReader(path: path)
        let total = reader.totalBytes.map { Int64($0) }
        defer { terminal.clearStatus() }
        return try ItemsFile(
            reader,
            transform: { item throws(MediaPathError) in try rules.resolve(item) },
            progress: { items, bytes in
                let bar = total.map {
                    ProgressBar.bar(done: Int64(bytes), total: $0) + " "
                        + ProgressBar.percent(done: Int64(bytes), total: $0) + "  "
                }
                terminal.status(
                    "Reading \(path)  \(bar ?? "")\(NumberText.counted(Int64(items), "item"))"
                )
            }
        )
    }

    private static func summary(_ request: EnqueueRequest, _ items: ItemsFile) -> String {
        "\(NumberText.counted(items.count, "item")), \(request.kind) by \(request.model), "
            + "queue \(request.queue)"
    }

    /// The failure in the user's words: lines of the file for items, options for arguments.
    private static func located(_ failure: CommandFailure, _ items: ItemsFile) -> CommandFailure {
        let names = [
            "kind: ": "<kind>: ", "task: ": "--task: ", "model: ": "--model: ",
            "queue: ": "--queue: ", "priority: ": "--priority: ", "run_at: ": "--at: ",
            "idempotency_key: ": "--key: ", "options.": "--option ", "items: ": "\(items.name): ",
        ]
        for (argument, option) in names where failure.message.hasPrefix(argument) {
            return CommandFailure(
                failure.exitCode,
                option + failure.message.dropFirst(argument.count)
            )
        }
        return CommandFailure(failure.exitCode, items.locating(failure.message))
    }
}
