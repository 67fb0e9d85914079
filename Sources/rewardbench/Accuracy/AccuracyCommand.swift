import Accuracy
import ArgumentParsing
import Inference
import Logging
import RewardModeling
import SyntheticScenes

/// `rewardbench accuracy`: how well a model judges scenes that it has never seen.
enum AccuracyCommand {
    static let spec = CommandSpec(
        "accuracy",
        overview: "Measure how well a model judges drawn scenes whose grades are known.",
        discussion: """
            Draws fresh scenes from the seed, with combinations of colour, texture and shape that occur \
            in no training data, and has the model judge them through the code that judges the items of \
            a daemon: pairs in both orders, point scores, both once more as generated text, and preference \
            pairs of ten candidates. Nothing is written to files.

            The model's own prompt_pack.json is used, or else the built-in prompts. A name is looked up \
            in $REWARDD_MODELS, in share/rewardd/models beside the program's folder, and in \
            deploy/models of each folder from the program's upwards.
            """,
        options: [
            .option(
                "model",
                value: "name|directory",
                "The model to measure.",
                required: true
            ),
            SceneOptions.seed,
            .option(
                "groups",
                value: "n",
                "Groups of scenes for each task: three pairs, three point scores and two fifths of an "
                    + "item of ten candidates for each.",
                default: "100",
                format: .int(1...100_000)
            ),
            SceneOptions.tasks(
                default: JudgingTask.ofScenes.map(\.rawValue).joined(separator: ",")
            ),
            .option(
                "max-tokens",
                value: "n",
                "Longest generated answer, in tokens.",
                default: "64",
                format: .int(1...4096)
            ),
            CommonOptions.threads,
            CommonOptions.precision,
            .flag("json", "Print one JSON document instead of tables."),
        ],
        examples: [
            "rewardbench accuracy --model scenes",
            "rewardbench accuracy --model ./trained --seed 2 --tasks image_generation --json",
        ],
        footnote: "Exit codes: 0 all goals met, 1 a goal is missed, 2 wrong usage, 3 no such model."
    )

    static func run(_ arguments: ParsedArguments) async throws -> ExitCode {
        let name = try arguments.requiredText("model")
        let directory: String
        do {
            directory = try ModelLocator.current().directory(of: name)
        } catch {
            ConsoleText.error("Error: \(error)\n")
            return .notFound
        }
        var plan = AccuracyPlan(
            seed: SceneOptions.seed(arguments),
            tasks: SceneOptions.tasks(arguments).compactMap { JudgingTask(rawValue: $0.rawValue) },
            groups: try arguments.int("groups") ?? 100
        )
        plan.maximumNewTokens = try arguments.int("max-tokens") ?? plan.maximumNewTokens
        let pack = try PromptPack.read(directory: directory) ?? PromptPack.builtin()
        let start = ContinuousClock.now
        let engine = try Engine(
            blueprint: EngineBlueprint(
                directory: directory,
                options: EngineOptions(
                    threads: CommonOptions.threads(arguments),
                    precision: CommonOptions.precision(arguments)
                )
            ),
            logger: Logger(level: .warning)
        )
        let bar = ProgressLine("accuracy")
        defer { bar.clear() }
        let steps = plan.steps
        let tasks = try await AccuracyRun(plan: plan, engine: engine, pack: pack).run {
            bar.show($0, of: steps, $1.rawValue)
        }
        bar.clear()
        let report = AccuracyReport(
            directory: directory,
            modelDigest: engine.modelDigest,
            pack: pack.name,
            plan: plan,
            tasks: tasks,
            seconds: start.duration(to: .now) / .seconds(1)
        )
        ConsoleText.output(arguments.flag("json") ? report.json + "\n" : report.text)
        return report.missed.isEmpty ? .success : .failure
    }
}
