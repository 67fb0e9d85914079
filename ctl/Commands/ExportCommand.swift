import ArgumentParsing
import FoundationEssentials
import JSONReading
import Postgres

/// `rewardctl export`.
enum ExportCommand: Command {
    static let spec = CommandSpec(
        "export",
        overview: "Write the preference pairs of a build_pairs job as a trainer reads them.",
        discussion: """
            The directory appears whole or not at all; the same command again gives the same bytes. \
            Uploaded media are fetched. With '-o -' rows go to standard output and media stay where \
            they are. trl, llamafactory and llava-dpo are for answers about pictures and clips, \
            diffusion-dpo for pictures, video-dpo for video files.
            """,
        arguments: [CommonArguments.job],
        options: [
            .option(
                "format",
                value: "format",
                "Shape of the rows.",
                values: ExportFormat.allCases.map(\.rawValue),
                required: true
            ),
            .option(
                "output",
                short: "o",
                value: "directory",
                "New directory, or '-' for standard output.",
                required: true
            ),
            .option(
                "media",
                value: "how",
                "Copy files, link to them, or write their paths.",
                default: "copy",
                values: ExportMedia.allCases.map(\.rawValue)
            ),
            .flag("partial", "Export the pairs found so far of a job that has not ended."),
        ],
        examples: [
            "rewardctl export 4711 --format trl -o pairs",
            "rewardctl export 4711 --format jsonl -o - | head",
        ]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let id = try context.jobID()
        guard let format = ExportFormat(rawValue: context.arguments.text("format") ?? ""),
            let media = ExportMedia(rawValue: context.arguments.text("media") ?? ""),
            let output = context.arguments.text("output")
        else { preconditionFailure("the parser checks formats and media") }
        let api = try context.connect()
        guard let row = try api.job(id) else {
            throw CommandFailure(.notFound, "job \(id): not found.")
        }
        let job = JobSummary(row)
        try check(job, format, isPartial: context.arguments.flag("partial"))
        if output == "-" {
            try print(job, ExportRow(format: format), api, context)
            return .success
        }
        let directory = try ExportDirectory(
            absolute(output),
            format: format,
            media: media,
            fetch: { try api.downloadMedia($0) }
        )
        do {
            let pairs = try fill(directory, job, ExportRow(format: format), api, context)
            try directory.finish(summary(job, format, pairs: pairs))
            context.say(
                "Exported \(NumberText.counted(pairs, "pair")) of job \(id) to \(output)."
            )
        } catch {
            directory.discard()
            throw error
        }
        return .success
    }

    private static func check(
        _ job: JobSummary,
        _ format: ExportFormat,
        isPartial: Bool
    ) throws(CommandFailure) {
        guard job.kind == "build_pairs" else {
            throw CommandFailure(
                .conflict,
                "job \(job.id): expected a build_pairs job, got \(job.kind). Only it finds pairs."
            )
        }
        guard format.tasks.contains(job.task) else {
            let fitting = ExportFormat.allCases.filter { $0.tasks.contains(job.task) }
                .map(\.rawValue).joined(separator: ", ")
            throw CommandFailure(
                .conflict,
                """
                job \(job.id): expected a job for \(format.tasks.joined(separator: " or ")), as \
                \(format.rawValue) needs, got \(job.task). Choose among \(fitting).
                """
            )
        }
        guard job.isFinal || isPartial else {
            throw CommandFailure(
                .conflict,
                """
                job \(job.id): expected an ended job, got one that is \(job.state) with \
                \(job.itemsFinished) of \(job.itemsTotal) items finished. Wait with 'rewardctl \
                watch \(job.id)', or give --partial.
                """
            )
        }
    }

    /// Calls `body` for every pair, page by page.
    private static func forEachPair(
        _ job: JobSummary,
        _ api: SQLAPI,
        _ context: CommandContext,
        _ body: (ExportSource) throws -> Void
    ) throws -> Int64 {
        Interruption.install()
        var pairs: Int64 = 0
        for item in stride(from: 0, to: job.itemsTotal, by: Int(SQLAPI.pageSize)) {
            for row in try api.pairs(job: job.id, from: item) {
                let source = ExportSource(row)
                try body(source)
                pairs += 1
                if pairs % 32 == 0 {
                    context.terminal.status(
                        "Exporting \(ProgressBar.bar(done: source.index, total: job.itemsTotal))  "
                            + NumberText.counted(pairs, "pair")
                    )
                }
                if Interruption.isRequested {
                    context.terminal.clearStatus()
                    throw CommandFailure(.interrupted, "interrupted; nothing was exported.")
                }
            }
        }
        context.terminal.clearStatus()
        return pairs
    }

    private static func fill(
        _ directory: ExportDirectory,
        _ job: JobSummary,
        _ maker: ExportRow,
        _ api: SQLAPI,
        _ context: CommandContext
    ) throws -> Int64 {
        var replaced = 0
        let pairs = try forEachPair(job, api, context) { source in
            replaced += maker.slotsReplaced(source)
            try directory.append(
                maker.row(source) { try directory.place($0, item: source.index) }
            )
        }
        tell(replaced: replaced, context)
        return pairs
    }

    private static func print(
        _ job: JobSummary,
        _ maker: ExportRow,
        _ api: SQLAPI,
        _ context: CommandContext
    ) throws {
        var replaced = 0
        _ = try forEachPair(job, api, context) { source in
            replaced += maker.slotsReplaced(source)
            let row = try maker.row(source) { file in
                guard case .path(let path) = file.origin else {
                    throw CommandFailure(
                        .conflict,
                        """
                        items[\(source.index)]: expected a directory for its uploaded media, got \
                        '-o -'. Name a directory.
                        """
                    )
                }
                return path
            }
            try context.output.line(row.json)
        }
        tell(replaced: replaced, context)
    }

    private static func tell(replaced: Int, _ context: CommandContext) {
        guard replaced > 0 else { return }
        context.say(
            "Wrote '< image>' for '<image>' and the like in "
                + "\(NumberText.counted(Int64(replaced), "text")): the trainer would look for media."
        )
    }

    private static func summary(
        _ job: JobSummary,
        _ format: ExportFormat,
        pairs: Int64
    ) -> JSONNode {
        .object([
            "apiVersion": .string(RecordList.apiVersion), "format": .string(format.rawValue),
            "job_id": .int(job.id), "task": .string(job.task), "model": .string(job.model),
            "items": .int(job.itemsTotal), "pairs": .int(pairs),
        ])
    }

    private static func absolute(_ path: String) -> String {
        MediaPaths.normalize(
            path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        )
    }
}
