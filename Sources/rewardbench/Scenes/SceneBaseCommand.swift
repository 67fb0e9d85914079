import Accuracy
import ArgumentParsing
import Foundation
import Training
import Transformer

/// `rewardbench scenes base`: a model that has learnt nothing, to train from.
enum SceneBaseCommand {
    static let spec = CommandSpec(
        "base",
        overview: "Write a model with random weights, to train from.",
        discussion: """
            Copies the small files of a model directory (config.json, tokenizer, templates, \
            prompt_pack.json) and writes random weights for its configuration. Equal configurations and \
            seeds give equal weights. With --from, tensors that another model has by the same name and \
            shape are taken from it, such as a vision tower that has learnt to see.
            """,
        options: [
            .option(
                "like",
                value: "name|directory",
                "Model directory whose files are copied; it needs no weights.",
                default: "scenes"
            ),
            .option(
                "out",
                value: "directory",
                "The new model directory; it must not exist.",
                required: true
            ),
            .option(
                "from",
                value: "directory",
                "Model whose tensors are taken where name and shape agree."
            ),
            SceneOptions.seed,
            .option(
                "type",
                value: "type",
                "How weights are stored.",
                default: SavedType.bfloat16.rawValue,
                values: SavedType.allCases.map(\.rawValue)
            ),
        ],
        examples: ["rewardbench scenes base --like deploy/models/scenes --out base --seed 1"]
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        let base = try ModelLocator.current().directory(of: arguments.requiredText("like"))
        // A slash at the end would make the name of the partial directory a name inside it.
        var directory = try arguments.requiredText("out")
        while directory.count > 1, directory.hasSuffix("/") { directory.removeLast() }
        guard !FileManager.default.fileExists(atPath: directory) else {
            ConsoleText.error(
                "Error: \"\(directory)\": expected nothing there, got a file or directory. Choose "
                    + "another name.\n"
            )
            return .conflict
        }
        let config = try LlavaConfig(trainable: base)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: config.text.vocabularySize
        )
        let parameters = ParameterBuffer(layout: layout, seed: SceneOptions.seed(arguments))
        let taken = try arguments.text("from").map { try parameters.take(from: $0) } ?? 0
        let writer = ModelDirectoryWriter(
            baseDirectory: base,
            type: try arguments.choice("type") ?? .bfloat16
        )
        try writer.write(parameters, to: directory)
        ConsoleText.output(
            "\(layout.parameterCount - taken) random parameters and \(taken) of another model, "
                + "\(layout.vocabularySize) tokens, in \"\(directory)\".\n"
        )
        return .success
    }
}
