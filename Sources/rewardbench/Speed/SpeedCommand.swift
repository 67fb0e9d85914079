import ArgumentParsing
import TensorKernels

/// `rewardbench prefill`, `decode` and `vision`: the engine's arithmetic on random weights of real shapes.
enum SpeedCommand {
    static let prefill = spec(
        "prefill",
        overview: "Measure how fast a decoder reads a prompt.",
        discussion: "The rate of its matrix products is set against the limit of the arithmetic.",
        tokens: "Tokens of the prompt.",
        defaultTokens: "512",
        with: [CommonOptions.prefillRows],
        example: "rewardbench prefill --shape llava-ov-0.5b --precision int8 --tokens 1024"
    )

    static let decode = spec(
        "decode",
        overview: "Measure how fast a decoder writes.",
        discussion: "The rate at which matrices are read is set against the limit of memory.",
        tokens: "Tokens each sequence writes.",
        defaultTokens: "32",
        with: [
            .option(
                "sequences",
                value: "n",
                "Sequences that write together.",
                default: "1",
                format: .int(1...256)
            )
        ],
        example: "rewardbench decode --precision int4 --sequences 16 --json"
    )

    static let vision = CommandSpec(
        "vision",
        overview: "Measure how fast the SigLIP so400m tower encodes a tile of 384×384 pixels.",
        discussion: random,
        options: common,
        examples: ["rewardbench vision --precision int8"]
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        var options = SpeedBenchmark.Options()
        options.precision = CommonOptions.precision(arguments)
        options.threads = try CommonOptions.threads(arguments)
        options.repeats = try arguments.int("repeats") ?? 5
        let command = arguments.command.first
        if command != "vision" {
            options.shape = arguments.text("shape").flatMap { ModelShape(rawValue: $0) } ?? .qwen2
            options.tokens = try arguments.int("tokens") ?? (command == "decode" ? 32 : 512)
        }
        if command == "prefill" { options.prefillRows = try arguments.int("prefill-rows") ?? 256 }
        if command == "decode" { options.sequences = try arguments.int("sequences") ?? 1 }
        let benchmark = SpeedBenchmark(options)
        let report =
            switch command {
            case "decode": try benchmark.decode()
            case "vision": try benchmark.vision()
            default: try benchmark.prefill()
            }
        ConsoleText.output(arguments.flag("json") ? report.json : report.text)
        return .success
    }

    private static let random = """
        Weights are random, so no checkpoint is needed; speed does not depend on their values. After each \
        repeat the machine's limit is measured for about as long, so that a busy neighbour slows both.
        """

    private static let common: [OptionSpec] = [
        CommonOptions.precision,
        CommonOptions.threads,
        .option(
            "repeats",
            value: "n",
            "Repeats; one more warms up.",
            default: "5",
            format: .int(1...1000)
        ),
        .flag("json", "Print one JSON document instead of text."),
    ]

    private static func spec(
        _ name: String,
        overview: String,
        discussion: String,
        tokens: String,
        defaultTokens: String,
        with options: [OptionSpec],
        example: String
    ) -> CommandSpec {
        CommandSpec(
            name,
            overview: overview,
            discussion: discussion + " " + random,
            options: [
                .option(
                    "shape",
                    value: "model",
                    "Whose dimensions the decoder has.",
                    default: ModelShape.qwen2.rawValue,
                    values: ModelShape.allCases.map(\.rawValue)
                ),
                .option(
                    "tokens",
                    value: "n",
                    tokens,
                    default: defaultTokens,
                    format: .int(1...32_768)
                ),
            ] + options + common,
            examples: [example]
        )
    }
}
