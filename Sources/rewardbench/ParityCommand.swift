import ArgumentParsing
import FoundationEssentials
import Inference

/// `rewardbench parity`: every stage of a model against recorded runs of the reference.
enum ParityCommand {
    static let spec = CommandSpec(
        "parity",
        overview: "Compare every stage of a model with recorded runs of the reference.",
        discussion: """
            Reads goldens (<case>.json beside <case>.safetensors), runs each case on the checkpoint and \
            prints the largest difference of pixels, token ids, places, vision rows, projected rows, decoder \
            rows, logits and greedy tokens. A case that cannot be run is printed as skipped.

            Which layout an image gets comes from the case, so a checkpoint of LLaVA-OneVision in either \
            naming serves all its cases; a clip of Qwen2.5-VL is measured in the places of both versions \
            of the reference. A single-precision checkpoint is compared with the goldens made from one.

            Tolerances: pixels and token ids equal; 5e-05 on features; 2e-04 on logits. They are those of \
            f32 arithmetic on the stored weights: with another --precision the differences show what it costs.
            """,
        options: [
            CommonOptions.checkpoint,
            .option(
                "goldens",
                value: "directory",
                "Folder with the cases.",
                required: true
            ),
            .option(
                "media",
                value: "directory",
                "Folder with the cases' images.",
                defaultText: "media beside the goldens' family folder"
            ),
            .option(
                "context",
                value: "n",
                "Longest prompt with its answer, in tokens.",
                default: "4096",
                format: .int(64...1_048_576)
            ),
            CommonOptions.threads,
            CommonOptions.prefillRows,
            CommonOptions.precision,
            .flag("json", "Print one JSON document instead of a table."),
        ],
        examples: [
            "rewardbench parity --checkpoint goldens/llava_ov/hf-bf16 "
                + "--goldens goldens/llava_ov/golden",
            "rewardbench parity --checkpoint goldens/qwen3_vl/hf-bf16 "
                + "--goldens goldens/qwen3_vl/golden",
        ],
        footnote: "Exit codes: 0 all within tolerance, 1 something is over, 2 wrong usage."
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        let goldens = try arguments.requiredText("goldens")
        let media = MediaFolder(
            directory: arguments.text("media") ?? Self.collapsed(goldens) + "/../../media"
        )
        let parity = try ParityRun(
            checkpoint: arguments.requiredText("checkpoint"),
            goldens: goldens,
            threads: CommonOptions.threads(arguments),
            prefillRows: arguments.int("prefill-rows") ?? 256,
            contextLimit: arguments.int("context") ?? 4096,
            precision: CommonOptions.precision(arguments),
            loadImage: { try media.image($0) }
        )
        let report = try parity.run()
        if arguments.flag("json") {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf",
                negativeInfinity: "-inf",
                nan: "nan"
            )
            ConsoleText.output(
                String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
            )
        } else {
            ConsoleText.output(report.text)
        }
        return report.isWithin ? .success : .failure
    }

    /// A path without empty parts: Foundation takes ".." behind "a//" for "a".
    private static func collapsed(_ path: String) -> String {
        (path.hasPrefix("/") ? "/" : "") + path.split(separator: "/").joined(separator: "/")
    }
}
