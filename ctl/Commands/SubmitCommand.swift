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
                            video_generation      caption, video
                            video_understanding   question, video, response
              pair_rank     image_generation      caption, first, second
                            image_understanding   question, image, first, second
                            video_generation      caption, first, second
                            video_understanding   question, video, first, second
              build_pairs   image_generation      caption, candidates
                            image_understanding   question, image, candidates
                            video_generation      caption, candidates
                            video_understanding   question, video, candidates

            With the option policy=<model>, understanding items of build_pairs hold no candidates: the \
            daemon samples them from that model.

            Images are file paths on the daemon's machine; relative ones start from the directory of \
            the items file. A video, and each candidate of video_generation, is a video file or \
            {"frames": [image, …]} with 2 to 64 images. With --upload-media the files are read here \
            and stored in the database.

            Options of a job: answer=choices|generate, orders=both|single, reuse=true|false, \
            margin_minimum=<number>, max_new_tokens=<n>, sampling=linspace|segments|fps, \
            frames=<2…768>, shard_size=<n>, max_attempts=<n>. Of build_pairs: plan=paired|round_robin, \
            rounds=<n>, seed=<n>, policy=<model>, candidates=<2…64>, temperature=<0.01…2>, \
            top_p=<0.01…1>, top_k=<n>, max_candidate_tokens=<n>.

            The kind train makes a model instead. It takes --dataset, --base and --name in place of \
            --task, --model and --items, and runs on a daemon with training.directory that has the \
            base. The dataset, on the daemon's machine under its media roots, has one example a line: \
            an item as above with "task" and "score" (point_score) or "verdict" (pair_rank), a \
            "chosen" and a "rejected" candidate, or "media", "prompt" and "response".

            Options of train: epochs=<number>, max_steps=<n>, batch_size=<n>, learning_rate=<number>, \
            vision_learning_rate_ratio=<0…1>, weight_decay=<number>, warmup_ratio=<0…1>, \
            final_learning_rate_ratio=<0…1>, clip_norm=<number>, loss_mean=tokens|answers, \
            accumulation=<n>, seed=<n>, validation_fraction=<0…0.5>, validate_every=<steps>, \
            checkpoint_every=<steps>, method=full|lora, lora_rank=<n>, lora_alpha=<number>, \
            tasks=<task,…>, precision=bf16|f32, replace=true|false, max_attempts=<n>.
            """,
        arguments: [
            ArgumentSpec(
                "kind",
                "What is asked about each item, or train.",
                values: CommonArguments.kinds
            )
        ],
        options: [
            .option(
                "task",
                value: "task",
                "What is judged.",
                values: CommonArguments.tasks
            ),
            .option("model", value: "name", "Model that judges, as daemons name it."),
            .option("items", value: "file", "JSONL file, or - for standard input."),
            .option("dataset", value: "file", "For train: JSONL file of examples; not read here."),
            .option("base", value: "model", "For train: the model to start from."),
            .option(
                "name",
                value: "model",
                "For train: name of the new model; a-z, 0-9, '.', '_' and '-'."
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
                defaultText: "0, for train -100",
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
                "deadline",
                value: "duration",
                "Cancel the job when it has not ended so long after it may start, such as 6h.",
                format: .duration
            ),
            .option(
                "key",
                value: "text",
                "Idempotency key: the same submission again is the same job.",
                format: .text
            ),
            .flag("upload-media", "Store the image and video files in the database."),
            .flag("watch", "Follow the job as 'rewardctl watch' does."),
            .flag("dry-run", "Check everything, against the database too, and submit nothing."),
        ],
        examples: [
            "rewardctl submit point_score --task image_generation --model scenes --items night.jsonl",
            "rewardctl submit build_pairs --task image_generation --model scenes --items - --at 02:00 \\",
            "  --option orders=single < candidates.jsonl",
            "rewardctl submit train --dataset /srv/pairs/train.jsonl --base scenes --name scenes-2 \\",
            "  --option epochs=3 --option learning_rate=5e-5 --watch",
        ]
    )

    /// Options that only one of judging and training takes.
    private static let judgingOptions = ["task", "model", "items"]
    private static let trainingOptions = ["dataset", "base", "name"]

    static func run(_ context: CommandContext) throws -> ExitCode {
        let arguments = context.arguments
        let isTraining = try arguments.requiredText("kind") == CommonArguments.trainKind
        for name in isTraining ? trainingOptions : judgingOptions {
            _ = try arguments.requiredText(name)
        }
        let others = isTraining ? judgingOptions : trainingOptions
        if let other = others.first(where: { arguments.text($0) != nil }) {
            throw arguments.usageError(
                "The option '--\(other)' does not go with \(isTraining ? "the kind 'train'" : "a kind that judges")."
            )
        }
        return isTraining ? try TrainSubmission.run(context) : try judge(context)
    }

    private static func judge(_ context: CommandContext) throws -> ExitCode {
        let arguments = context.arguments
        var request = try request(
            arguments,
            task: arguments.requiredText("task"),
            model: arguments.requiredText("model"),
            options: JobOptions.object(arguments.texts("option"), lists: ["templates"])
        )
        let (items, rules) = try read(context)
        let api = try context.connect()
        do {
            request.items = try json(of: items, rules, api, context)
            context.terminal.status("Submitting \(NumberText.counted(items.count, "item"))…")
            defer { context.terminal.clearStatus() }
            return try send(request, summary(request, items), api, context)
        } catch let error as PostgresError where !error.isConnectionLost {
            throw located(FailureTable.failure(error), items)
        }
    }

    /// Submits or, with `--dry-run`, only checks; prints the job's number and watches it if asked to.
    static func send(
        _ request: EnqueueRequest,
        _ summary: String,
        _ api: SQLAPI,
        _ context: CommandContext
    ) throws -> ExitCode {
        if context.arguments.flag("dry-run") {
            try api.tryEnqueue(request)
            context.terminal.clearStatus()
            context.say("Would submit \(summary).")
            return .success
        }
        let (id, isNew) = try api.enqueue(request)
        context.terminal.clearStatus()
        try context.output.line("\(id)")
        try context.output.flush()
        context.say(
            isNew
                ? "Submitted job \(id): \(summary)."
                : "Job \(id) has this key already; nothing was submitted."
        )
        return context.arguments.flag("watch")
            ? try JobWatcher(id: id, deadline: nil).run(api, context) : .success
    }

    /// The request of the command line, without its items.
    static func request(
        _ arguments: ParsedArguments,
        task: String?,
        model: String,
        options: JSONNode
    ) throws -> EnqueueRequest {
        if arguments.text("at") != nil, arguments.text("in") != nil {
            throw arguments.usageError("The options '--at' and '--in' exclude each other.")
        }
        return EnqueueRequest(
            kind: try arguments.requiredText("kind"),
            task: task,
            model: model,
            items: [],
            options: options.json,
            queue: try arguments.requiredText("queue"),
            priority: try arguments.int("priority"),
            runAt: arguments.text("at").flatMap { MomentText.parse($0, now: time(nil)) },
            delaySeconds: try arguments.duration("in").map { $0 / .seconds(1) } ?? 0,
            deadlineSeconds: try arguments.duration("deadline").map { $0 / .seconds(1) },
            key: arguments.text("key")
        )
    }

    /// The items of `--items`, with their paths made absolute, and the rules for those paths.
    static func read(_ context: CommandContext) throws -> (ItemsFile, MediaPaths) {
        let path = try context.arguments.requiredText("items")
        let rules = MediaPaths(
            directory: MediaPaths.directory(
                ofItems: path,
                workingDirectory: FileManager.default.currentDirectoryPath
            ),
            task: try context.arguments.requiredText("task")
        )
        return (try read(path, rules, context.terminal), rules)
    }

    /// The items as JSON; with `--upload-media` their files are stored and named by digest.
    static func json(
        of items: ItemsFile,
        _ rules: MediaPaths,
        _ api: SQLAPI,
        _ context: CommandContext
    ) throws -> [UInt8] {
        let uploads = context.arguments.flag("upload-media") && !context.arguments.flag("dry-run")
        guard uploads else { return items.json }
        return try MediaUpload(rules: rules, api: api).replacePaths(of: items, context.terminal)
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
    ///
    /// - Parameter own: Replacements of arguments that only the calling command has.
    static func located(
        _ failure: CommandFailure,
        _ items: ItemsFile,
        _ own: [String: String] = [:]
    ) -> CommandFailure {
        let judging = ["model: ": "--model: ", "items: ": "\(items.name): "]
        let failure = renamed(failure, judging.merging(own, uniquingKeysWith: { $1 }))
        return CommandFailure(failure.exitCode, items.locating(failure.message))
    }

    /// The failure with options in place of SQL arguments at its start.
    ///
    /// - Parameter own: Replacements that are not the same for every kind of job.
    static func renamed(_ failure: CommandFailure, _ own: [String: String]) -> CommandFailure {
        let shared = [
            "kind: ": "<kind>: ", "task: ": "--task: ", "queue: ": "--queue: ",
            "priority: ": "--priority: ", "run_at: ": "--at: ", "idempotency_key: ": "--key: ",
            "options.": "--option ",
        ]
        for (argument, option) in own.merging(shared, uniquingKeysWith: { own, _ in own })
        where failure.message.hasPrefix(argument) {
            return CommandFailure(
                failure.exitCode,
                option + failure.message.dropFirst(argument.count)
            )
        }
        return failure
    }
}
