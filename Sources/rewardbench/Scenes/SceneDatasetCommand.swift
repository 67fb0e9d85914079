import ArgumentParsing
import SyntheticScenes

/// `rewardbench scenes dataset`: pictures and records in the format that training reads.
enum SceneDatasetCommand {
    static let spec = CommandSpec(
        "dataset",
        overview: "Draw a dataset: picture files and dataset.jsonl.",
        discussion: """
            A group is one scene in several variants, some with changes or faults. Its records are point \
            scores, pairs and conversations about these variants. A group may offer fewer records of a \
            sort than asked for. The lines appear in DIR/dataset.jsonl when all of them are written.
            """,
        options: [
            .option("out", value: "directory", "Where to write; made if missing.", required: true),
            .option(
                "groups",
                value: "n",
                "Groups of scenes.",
                format: .int(1...10_000_000),
                required: true
            ),
            SceneOptions.seed,
            .option(
                "split",
                value: "name",
                "Which combinations of colour, texture and shape may occur.",
                default: SceneSplit.train.rawValue,
                values: SceneSplit.allCases.map(\.rawValue)
            ),
            SceneOptions.tasks(
                default: SceneTask.allCases.map(\.rawValue).joined(separator: ",")
            ),
            count("points", "Point scores of each task of a group, at most.", 6),
            count("pairs", "Pairs of each task of a group, at most.", 6),
            count(
                "couples",
                "Sets of two pictures that a group's pairs show, at most; 0: no limit.",
                0
            ),
            count("conversations", "Descriptions of a group, at most.", 2),
            count("answers", "Questions of a group with a right answer, at most.", 0),
            count("inventories", "Inventories of a group in fixed words, at most.", 0),
            count("maps", "Pictures of a group with maps of what lies where, at most.", 0),
            count("paths", "Questions of a group about where an object lies or goes, at most.", 0),
            count(
                "reasons",
                "Reasons of grades for each task of a group, alone and paired, at most.",
                0
            ),
            .option(
                "clip-every",
                value: "n",
                "With tasks of pictures and of clips, every how many-th group is of clips.",
                default: "3",
                format: .int(2...1000)
            ),
            .option(
                "mix",
                value: "name",
                "Which faults and mentions are frequent; 'hard' has more of what is hard to see.",
                default: SceneMix.usual.rawValue,
                values: SceneMix.allCases.map(\.rawValue)
            ),
            .option(
                "variants",
                value: "n",
                "Variants of a group.",
                default: "6",
                format: .int(2...64)
            ),
            .option(
                "side",
                value: "pixels",
                "Width and height of the pictures.",
                default: "128",
                format: .int(16...1024)
            ),
            .option("frames", value: "n", "Frames of a clip.", default: "4", format: .int(3...64)),
            .option(
                "format",
                value: "suffix",
                "How pictures are stored; ppm is larger, and quicker to train on.",
                default: SceneFileFormat.png.rawValue,
                values: SceneFileFormat.allCases.map(\.rawValue)
            ),
            .flag("chosen", "Write pairs as chosen and rejected instead of a verdict."),
        ],
        examples: [
            "rewardbench scenes dataset --out train --groups 4000 --seed 1",
            "rewardbench scenes dataset --out check --groups 200 --seed 1 --split validation "
                + "--tasks video_generation,video_understanding",
        ]
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        var options = SceneDatasetOptions(
            groups: try arguments.int("groups") ?? 1,
            seed: SceneOptions.seed(arguments),
            split: try arguments.choice("split") ?? .train
        )
        options.tasks = Set(SceneOptions.tasks(arguments))
        options.points = try arguments.int("points") ?? options.points
        options.pairs = try arguments.int("pairs") ?? options.pairs
        let couples = try arguments.int("couples") ?? 0
        options.couples = couples == 0 ? nil : couples
        options.conversations = try arguments.int("conversations") ?? options.conversations
        options.answers = try arguments.int("answers") ?? options.answers
        options.inventories = try arguments.int("inventories") ?? options.inventories
        options.maps = try arguments.int("maps") ?? options.maps
        options.paths = try arguments.int("paths") ?? options.paths
        options.reasons = try arguments.int("reasons") ?? options.reasons
        options.clipEvery = try arguments.int("clip-every") ?? options.clipEvery
        options.mix = try arguments.choice("mix") ?? .usual
        options.variants = try arguments.int("variants") ?? options.variants
        options.side = try arguments.int("side") ?? options.side
        options.frames = try arguments.int("frames") ?? options.frames
        options.fileFormat = try arguments.choice("format") ?? .png
        options.writesChosen = arguments.flag("chosen")
        let directory = try arguments.requiredText("out")
        let bar = ProgressLine("scenes")
        defer { bar.clear() }
        let start = ContinuousClock.now
        let count = try SceneDataset(options).write(to: directory) {
            bar.show($0, of: options.groups)
        }
        bar.clear()
        let seconds = start.duration(to: .now) / .seconds(1)
        ConsoleText.output(
            "\(count) records of \(options.groups) groups in \"\(directory)/dataset.jsonl\", "
                + "\((seconds * 10).rounded() / 10) s.\n"
        )
        return .success
    }

    private static func count(_ name: String, _ summary: String, _ value: Int) -> OptionSpec {
        .option(name, value: "n", summary, default: "\(value)", format: .int(0...1000))
    }
}
