import ArgumentParsing
import Foundation
import SyntheticScenes

/// `rewardbench scenes picture`: one group of scenes for people to look at.
enum ScenePictureCommand {
    static let spec = CommandSpec(
        "picture",
        overview: "Draw one group of scenes, with captions, questions and grades, to look at.",
        discussion: """
            Writes DIR/group.txt and a PNG file for each variant, or for each frame of each variant of a \
            clip. The text gives each variant's captions with the grade of every variant, and its \
            questions with their answers.
            """,
        options: [
            .option("out", value: "directory", "Where to write; made if missing.", required: true),
            SceneOptions.seed,
            .option(
                "index",
                value: "n",
                "Which group of the seed.",
                default: "0",
                format: .int(0...1_000_000_000)
            ),
            .option(
                "split",
                value: "name",
                "Which combinations of colour, texture and shape may occur.",
                default: SceneSplit.test.rawValue,
                values: SceneSplit.allCases.map(\.rawValue)
            ),
            .option(
                "variants",
                value: "n",
                "Variants of the group.",
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
            .flag("clips", "Clips instead of pictures."),
        ],
        examples: ["rewardbench scenes picture --seed 7 --index 3 --out group"]
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        let generator = SceneGenerator(
            seed: SceneOptions.seed(arguments),
            split: try arguments.choice("split") ?? .test,
            variantCount: try arguments.int("variants") ?? 6
        )
        let group = generator.group(
            try arguments.int("index") ?? 0,
            ofClips: arguments.flag("clips")
        )
        let directory = URL(
            filePath: try arguments.requiredText("out"),
            directoryHint: .isDirectory
        )
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let side = try arguments.int("side") ?? 128
        let frames = try arguments.int("frames") ?? 4
        let encoder = PNGEncoder()
        for variant in group.variants.indices {
            for (number, picture) in group.frames(of: variant, count: frames, side: side)
                .enumerated()
            {
                let name = group.composition.isClip ? "\(variant)-\(number).png" : "\(variant).png"
                try Data(encoder.encode(picture)).write(to: directory.appending(path: name))
            }
        }
        let text = SceneGroupText(group).text
        try Data(text.utf8).write(to: directory.appending(path: "group.txt"))
        ConsoleText.output(text)
        return .success
    }
}
