import Accuracy
import ArgumentParsing
import Foundation
import RewardModeling
import Tokenization

/// `rewardbench scenes tokenizer`: a vocabulary of the words that scenes and their prompts use.
enum SceneTokenizerCommand {
    static let spec = CommandSpec(
        "tokenizer",
        overview: "Train the tokenizer of a model of drawn scenes.",
        discussion: """
            Learns byte pairs from captions, questions and answers of all splits and from the prompt pack \
            of a model directory, and writes a tokenizer.json. Prints the ids that config.json and \
            generation_config.json must name, as one line of JSON.
            """,
        options: [
            .option("out", value: "file", "Where to write tokenizer.json.", required: true),
            .option(
                "like",
                value: "name|directory",
                "Model directory whose prompt_pack.json is read.",
                default: "scenes"
            ),
            .option(
                "vocabulary",
                value: "n",
                "Most tokens; fewer when every word is one token before.",
                default: "4096",
                format: .int(261...65_536)
            ),
            .option(
                "groups",
                value: "n",
                "Groups of pictures and of clips whose texts are counted, of each split.",
                default: "120",
                format: .int(1...100_000)
            ),
            SceneOptions.seed,
        ],
        examples: ["rewardbench scenes tokenizer --out deploy/models/scenes/tokenizer.json"]
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        let directory = try ModelLocator.current().directory(of: arguments.requiredText("like"))
        let pack = try PromptPack.read(directory: directory) ?? PromptPack.builtin()
        let corpus = SceneCorpus(
            groups: try arguments.int("groups") ?? 120,
            seed: SceneOptions.seed(arguments),
            pack: pack
        )
        let vocabulary = corpus.vocabulary(ofAtMost: try arguments.int("vocabulary") ?? 4096)
        try Data(vocabulary.tokenizerFile).write(to: URL(filePath: arguments.requiredText("out")))
        let ids = vocabulary.addedTokenIDs.mapValues { PayloadValue.number(Double($0)) }
        let line = PayloadValue.object([
            "vocab_size": .number(Double(vocabulary.count)), "added_tokens": .object(ids),
        ])
        ConsoleText.output(line.json + "\n")
        return .success
    }
}
