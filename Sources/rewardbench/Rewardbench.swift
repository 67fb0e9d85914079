import ArgumentParsing
import Glibc
import TensorKernels

/// `rewardbench`: measures the kernels, the engine and how well a model judges, checks a checkpoint
/// against goldens and the queue against faults, and makes the data that a model of drawn scenes is
/// trained from.
@main
struct Rewardbench {
    static func main() async {
        if let refusal = ProcessorSupport.refusal() {
            ConsoleText.error("Error: \(refusal)\n")
            exit(ExitCode.failure.rawValue)
        }
        let arguments = ProcessArguments.parseOrExit(
            command,
            version: "0.1.0 (\(KernelSet.description))"
        )
        do {
            let code =
                switch arguments.command.first {
                case "parity": try ParityCommand.run(arguments)
                case "chaos": try ChaosCommand.run(arguments)
                case "queue": try await QueueBenchmarkCommand.run(arguments)
                case "accuracy": try await AccuracyCommand.run(arguments)
                case "generate": try await GenerateCommand.run(arguments)
                case "judge": try await JudgeCommand.run(arguments)
                case "scenes": try ScenesCommand.run(arguments)
                case "peak": try PeakCommand.run(arguments)
                case "prefill", "decode", "vision": try SpeedCommand.run(arguments)
                default: try MatmulCommand.run(arguments)
                }
            exit(code.rawValue)
        } catch let error as ParsingError {
            ConsoleText.error("\(error)\n")
            exit(ExitCode.usage.rawValue)
        } catch {
            ConsoleText.error("Error: \(error)\n")
            exit(ExitCode.failure.rawValue)
        }
    }

    /// The whole command line, as help shows it.
    static let command = CommandSpec(
        "rewardbench",
        overview:
            "Measure the kernels, the engine and how well a model judges, check a model against "
            + "its reference and the queue against faults, and make what a model of drawn scenes is "
            + "trained from.",
        discussion: """
            Nothing here needs a running daemon or your PostgreSQL: a checkpoint directory is enough. \
            'chaos' and 'queue' start a server and daemons of their own.
            """,
        groups: [
            CommandGroup(
                "CORRECTNESS",
                [AccuracyCommand.spec, ChaosCommand.spec, ParityCommand.spec]
            ),
            CommandGroup(
                "SPEED",
                [
                    SpeedCommand.decode, GenerateCommand.spec, JudgeCommand.spec,
                    MatmulCommand.spec, PeakCommand.spec, SpeedCommand.prefill,
                    QueueBenchmarkCommand.spec, SpeedCommand.vision,
                ]
            ),
            CommandGroup("SCENES", [ScenesCommand.spec]),
        ],
        footnote: "Exit codes: 0 all well, 1 a check or a measurement failed, 2 wrong usage."
    )
}

/// Options several subcommands share.
enum CommonOptions {
    /// `--checkpoint DIR`.
    static let checkpoint = OptionSpec.option(
        "checkpoint",
        value: "directory",
        "Folder with config.json, tokenizer.json and *.safetensors.",
        required: true
    )

    /// `--threads N`.
    static let threads = OptionSpec.option(
        "threads",
        value: "n",
        "Compute threads.",
        defaultText: "all processors allowed",
        format: .int(1...512)
    )

    /// `--prefill-rows N`.
    static let prefillRows = OptionSpec.option(
        "prefill-rows",
        value: "n",
        "Rows of one prefill step; results do not depend on it.",
        default: "256",
        format: .int(1...65_536)
    )

    /// `--precision NAME`.
    static let precision = OptionSpec.option(
        "precision",
        value: "name",
        "How the weights of the large matrices are held and multiplied.",
        default: "stored",
        values: WeightPrecision.allCases.map(\.rawValue)
    )

    /// The value of `--precision`.
    static func precision(_ arguments: ParsedArguments) -> WeightPrecision {
        arguments.text("precision").flatMap { WeightPrecision(rawValue: $0) } ?? .stored
    }

    /// The value of `--threads`.
    static func threads(_ arguments: ParsedArguments) throws(ParsingError) -> Int {
        try arguments.int("threads", in: 1...512) ?? max(ProcessorSupport.allowedCount, 1)
    }
}
