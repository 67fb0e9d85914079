import ArgumentParsing
import Inference
import Logging
import Tokenization

/// `rewardbench generate`: one prompt, its answer streamed, and where the time went.
enum GenerateCommand {
    static let spec = CommandSpec(
        "generate",
        overview: "Show a model images and a text, and stream its answer.",
        discussion: """
            The answer goes to standard output as it is written, times and token counts to standard \
            error. With --choice the model may only answer one of the given texts, and their \
            probabilities are printed instead.
            """,
        options: [
            CommonOptions.checkpoint,
            .option(
                "image",
                value: "file",
                "An image to show, in order. May be repeated.",
                repeatable: true
            ),
            .option("prompt", value: "text", "What to ask.", required: true),
            .option(
                "prefix",
                value: "text",
                "Text the answer is made to start with.",
                default: ""
            ),
            .option(
                "choice",
                value: "text",
                "An answer to weigh. Give two or more.",
                repeatable: true
            ),
            .option(
                "max-tokens",
                value: "n",
                "Most tokens to write.",
                default: "512",
                format: .int(1...1_000_000)
            ),
            .option(
                "context",
                value: "n",
                "Longest prompt with its answer, in tokens.",
                default: "8192",
                format: .int(1...1_000_000)
            ),
            CommonOptions.threads,
            CommonOptions.prefillRows,
            CommonOptions.precision,
        ],
        examples: [
            "rewardbench generate --checkpoint UnifiedReward-0.5b --image fox.jpg "
                + "--prompt 'Describe the image.' --max-tokens 64",
            "rewardbench generate --checkpoint UnifiedReward-0.5b --image a.png --image b.png "
                + "--prompt 'Which is better?' --prefix 'Image ' --choice 1 --choice 2",
        ]
    )

    static func run(_ arguments: ParsedArguments) async throws -> ExitCode {
        let images = try arguments.texts("image").map { try MediaFolder.image(path: $0) }
        let options = try EngineOptions(
            threads: CommonOptions.threads(arguments),
            contextLimit: arguments.int("context") ?? 8192,
            visionCacheBytes: 0,
            prefillRows: arguments.int("prefill-rows") ?? 256,
            precision: CommonOptions.precision(arguments)
        )
        let engine = try Engine(
            blueprint: EngineBlueprint(
                directory: arguments.requiredText("checkpoint"),
                options: options
            ),
            logger: Logger(level: .info)
        )
        let prompt = EnginePrompt(
            content: images.indices.map { .image($0) } + [
                .text(try arguments.requiredText("prompt"))
            ],
            images: images
        )
        let choices = arguments.texts("choice")
        if choices.isEmpty {
            try await generate(prompt, arguments, engine)
        } else {
            try await choose(prompt, choices, arguments, engine)
        }
        return .success
    }

    private static func generate(
        _ prompt: EnginePrompt,
        _ arguments: ParsedArguments,
        _ engine: Engine
    ) async throws {
        let response = try await engine.generate(
            GenerateRequest(
                prompt: prompt,
                answerPrefix: arguments.text("prefix") ?? "",
                maximumTokens: arguments.int("max-tokens") ?? 512
            )
        ) { ConsoleText.output($0) }
        ConsoleText.output("\n")
        let decoding = response.seconds - response.imageSeconds - response.prefillSeconds
        // The first token comes from the prefill.
        let steps = max(response.generatedTokens - 1, 0)
        ConsoleText.error(
            "images \(rounded(response.imageSeconds)) s; prefill \(response.promptTokens) tokens "
                + "\(rounded(response.prefillSeconds)) s, "
                + "\(rate(response.promptTokens, response.prefillSeconds)) tokens/s; decode "
                + "\(steps) steps \(rounded(decoding)) s, \(rate(steps, decoding)) tokens/s; "
                + "\(response.finishReason.rawValue), \(rounded(response.seconds)) s in all.\n"
        )
    }

    private static func choose(
        _ prompt: EnginePrompt,
        _ choices: [String],
        _ arguments: ParsedArguments,
        _ engine: Engine
    ) async throws {
        let response = try await engine.choose(
            ChooseRequest(
                prompt: prompt,
                answerPrefix: arguments.text("prefix") ?? "",
                choices: choices
            )
        )
        for (choice, probability) in zip(choices, response.probabilities) {
            ConsoleText.output("\(probability)\t\(choice)\n")
        }
        ConsoleText.error(
            "\(response.promptTokens) prompt tokens, \(rounded(response.seconds)) s in all.\n"
        )
    }

    private static func rate(_ count: Int, _ seconds: Double) -> Double {
        seconds > 0 ? rounded(Double(count) / seconds) : 0
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
