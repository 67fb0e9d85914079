import Accuracy
import ArgumentParsing
import Inference
import Logging
import RewardModeling
import Tokenization

/// `rewardbench judge`: what the engine's scheduler gains, with equal bits.
enum JudgeCommand {
    static let spec = CommandSpec(
        "judge",
        overview: "Measure judging with shared passes and caches against one by one without.",
        discussion: """
            Draws build_pairs items and has the model judge them twice through the code of a daemon: one \
            question after another, every image encoded and every prompt read anew; and all questions of \
            an item together, with the vision cache, shared prefixes and shared passes. The judgements of \
            both must be equal to the last bit. Then writes answers: one sequence alone, and several \
            together. Each repeat draws items of its own, so that none finds the caches filled.
            """,
        options: [
            .option(
                "model",
                value: "name|directory",
                "The model to measure.",
                required: true
            ),
            .option(
                "items",
                value: "n",
                "Items to judge.",
                default: "3",
                format: .int(1...10_000)
            ),
            .option(
                "candidates",
                value: "n",
                "Candidates of each item.",
                default: "\(AccuracyPlan.candidatesPerList)",
                format: .int(2...64)
            ),
            .option(
                "plan",
                value: "plan",
                "Which candidates are compared.",
                default: JudgingOptions.Plan.paired.rawValue,
                values: JudgingOptions.Plan.allCases.map(\.rawValue)
            ),
            .option(
                "task",
                value: "task",
                "What is judged.",
                default: JudgingTask.imageGeneration.rawValue,
                values: JudgingTask.ofScenes.map(\.rawValue)
            ),
            .option(
                "at-once",
                value: "n",
                "Items judged at a time, as 'items' of a daemon.",
                default: "4",
                format: .int(1...256)
            ),
            .option(
                "sequences",
                value: "n",
                "Answers written together.",
                default: "16",
                format: .int(1...256)
            ),
            .option(
                "tokens",
                value: "n",
                "Tokens of each answer; 0 writes none.",
                default: "32",
                format: .int(0...4096)
            ),
            .option(
                "context",
                value: "n",
                "Longest prompt with its answer, in tokens.",
                default: "4096",
                format: .int(1...1_000_000)
            ),
            SceneOptions.seed,
            CommonOptions.precision,
            CommonOptions.threads,
            CommonOptions.prefillRows,
            .option(
                "repeats",
                value: "n",
                "Times both are measured, in turns.",
                default: "1",
                format: .int(1...1000)
            ),
            .flag("json", "Print one JSON document instead of text."),
        ],
        examples: [
            "rewardbench judge --model scenes",
            "rewardbench judge --model ./UnifiedReward-0.5b --items 1 --tokens 0",
            "rewardbench judge --model scenes --plan round_robin --candidates 20 --json",
        ],
        footnote:
            "Exit codes: 0 the bits are equal, 1 they are not, 2 wrong usage, 3 no such model."
    )

    static func run(_ arguments: ParsedArguments) async throws -> ExitCode {
        let directory: String
        do {
            directory = try ModelLocator.current().directory(
                of: arguments.requiredText("model")
            )
        } catch let error as AccuracyError {
            ConsoleText.error("Error: \(error)\n")
            return .notFound
        }
        var options = try EngineOptions(
            threads: CommonOptions.threads(arguments),
            contextLimit: arguments.int("context") ?? 4096,
            prefillRows: arguments.int("prefill-rows") ?? 256,
            precision: CommonOptions.precision(arguments)
        )
        let together = try makeEngine(directory, options)
        options.visionCacheBytes = 0
        options.reusesPrefix = false
        options.sequenceLimit = 1
        let alone = try makeEngine(directory, options)

        var report = JudgeReport(
            model: arguments.text("model") ?? "",
            settings: settings(arguments),
            precision: options.precision,
            threads: options.threads
        )
        do {
            for number in 0..<(try arguments.int("repeats") ?? 1) {
                let speed = try speed(arguments, directory, repeat: number)
                report.add(
                    alone: try await speed.measure(alone, atOnce: 1),
                    together: try await speed.measure(
                        together,
                        atOnce: arguments.int("at-once") ?? 4
                    )
                )
            }
        } catch let error as AccuracyError {
            ConsoleText.error("Error: \(error)\n")
            return .usage
        }
        report.writing = try await write(arguments, together)
        ConsoleText.output(arguments.flag("json") ? report.json : report.text)
        return report.areEqual ? .success : .failure
    }

    private static func speed(
        _ arguments: ParsedArguments,
        _ directory: String,
        repeat number: Int
    ) throws -> JudgingSpeed {
        var options = JudgingOptions()
        options.plan = JudgingOptions.Plan(rawValue: arguments.text("plan") ?? "") ?? .paired
        return try JudgingSpeed(
            seed: SceneOptions.seed(arguments) &+ UInt64(number),
            items: arguments.int("items") ?? 3,
            candidates: arguments.int("candidates") ?? AccuracyPlan.candidatesPerList,
            task: JudgingTask(rawValue: arguments.text("task") ?? "") ?? .imageGeneration,
            pack: PromptPack.read(directory: directory) ?? PromptPack.builtin(),
            options: options
        )
    }

    private static func settings(_ arguments: ParsedArguments) -> [(String, String)] {
        ["task", "plan", "items", "candidates", "at-once"].map {
            ($0.replacing("-", with: "_"), arguments.text($0) ?? "")
        }
    }

    /// Answers to texts without images, so that decoding is what takes the time; nil where none are wanted.
    private static func write(
        _ arguments: ParsedArguments,
        _ engine: Engine
    ) async throws -> JudgeReport.Writing? {
        let tokens = try arguments.int("tokens") ?? 32
        let count = try arguments.int("sequences") ?? 16
        guard tokens > 0 else { return nil }
        @Sendable func answer(_ index: Int) async throws -> GenerateResponse {
            try await engine.generate(
                GenerateRequest(
                    prompt: EnginePrompt(content: [.text("Tell story number \(index).")]),
                    maximumTokens: tokens
                )
            )
        }
        let single = try await answer(0)
        let decoding = single.seconds - single.prefillSeconds
        let start = ContinuousClock.now
        let (written, prefill) = try await withThrowingTaskGroup(of: GenerateResponse.self) {
            group in
            for index in 1...count { group.addTask { try await answer(index) } }
            return try await group.reduce(into: (0, 0.0)) {
                $0.0 += max($1.generatedTokens - 1, 0)
                $0.1 += $1.prefillSeconds
            }
        }
        let seconds = start.duration(to: .now) / .seconds(1) - prefill
        return JudgeReport.Writing(
            sequences: count,
            one: Double(max(single.generatedTokens - 1, 0)) / decoding,
            all: Double(written) / seconds
        )
    }

    private static func makeEngine(
        _ directory: String,
        _ options: EngineOptions
    ) throws -> Engine {
        try Engine(
            blueprint: EngineBlueprint(directory: directory, options: options),
            logger: Logger(level: .warning)
        )
    }
}
