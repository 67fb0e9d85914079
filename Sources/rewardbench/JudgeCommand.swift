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
            Draws build_pairs items of ten candidates and has the model judge them twice through the code \
            of a daemon: one question after another, every image encoded and every prompt read anew; and \
            all questions of an item together, with the vision cache, shared prefixes and shared passes. \
            The judgements of both must be equal to the last bit. Then writes answers: one sequence alone, \
            and several together.
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
                "task",
                value: "task",
                "What is judged.",
                default: JudgingTask.imageGeneration.rawValue,
                format: ValueFormat(
                    expectation: "one of "
                        + JudgingTask.allCases.map(\.rawValue).joined(separator: ", ")
                ) { JudgingTask(rawValue: $0) != nil }
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
        ],
        examples: [
            "rewardbench judge --model scenes",
            "rewardbench judge --model ./UnifiedReward-0.5b --items 1 --tokens 0",
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

        let areEqual = try await judge(arguments, directory, together: together, alone: alone)
        try await write(arguments, together)
        return areEqual ? .success : .failure
    }

    private static func judge(
        _ arguments: ParsedArguments,
        _ directory: String,
        together: Engine,
        alone: Engine
    ) async throws -> Bool {
        let speed = try JudgingSpeed(
            seed: SceneOptions.seed(arguments),
            items: arguments.int("items") ?? 3,
            task: JudgingTask(rawValue: arguments.text("task") ?? "") ?? .imageGeneration,
            pack: PromptPack.read(directory: directory) ?? PromptPack.builtin()
        )
        let slow = try await speed.measure(alone, atOnce: 1)
        ConsoleText.output("one by one, no caches  \(line(slow))\n")
        let quick = try await speed.measure(together, atOnce: arguments.int("at-once") ?? 4)
        ConsoleText.output("together, with caches  \(line(quick))\n")
        let areEqual = quick.ledger.hasAnswers(of: slow.ledger)
        ConsoleText.output(
            "ratio \(decimal(slow.seconds / quick.seconds)), "
                + (areEqual ? "bits equal" : "BITS DIFFER") + "\n"
        )
        return areEqual
    }

    /// Answers to texts without images, so that decoding is what takes the time.
    private static func write(_ arguments: ParsedArguments, _ engine: Engine) async throws {
        let tokens = try arguments.int("tokens") ?? 32
        let count = try arguments.int("sequences") ?? 16
        guard tokens > 0 else { return }
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
        let one = Double(max(single.generatedTokens - 1, 0)) / decoding
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
        let all = Double(written) / seconds
        ConsoleText.output(
            "decode, 1 sequence     \(decimal(one)) tokens/s (\(single.generatedTokens) tokens)\n"
                + "decode, \(count) sequences   \(decimal(all)) tokens/s (\(written) tokens), "
                + "ratio \(decimal(all / one))\n"
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

    private static func line(_ measured: JudgingSpeed.Measurement) -> String {
        let rate = Double(measured.judgements) / measured.seconds
        return "\(measured.judgements) judgements in \(decimal(measured.seconds)) s, "
            + "\(Int(rate * 3600)) an hour"
    }

    private static func decimal(_ value: Double) -> String {
        value.isFinite ? "\((value * 100).rounded() / 100)" : "-"
    }
}
