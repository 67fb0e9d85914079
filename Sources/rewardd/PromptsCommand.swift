import ArgumentParsing
import Foundation
import Hashing
import PromptImport
import RewardDaemon
import RewardModeling

/// `rewardd prompts`: prompt packs as files. It stands here and not in rewardctl because it reads packs
/// with the daemon's own reader: what it accepts, the daemon accepts.
enum PromptsCommand {
    static let spec = CommandSpec(
        "prompts",
        overview: "Import, list, show and check prompt packs.",
        groups: [CommandGroup("COMMANDS", [importing, listing, showing, checking])]
    )

    private static let file = ArgumentSpec(
        "file",
        "A pack, such as a model's prompt_pack.json; the built-in one when left out.",
        required: false
    )

    private static let importing = CommandSpec(
        "import",
        overview: "Make the pack of a model line from a checkout of UnifiedReward's scripts.",
        discussion: """
            Looks for the templates in every Python file and takes only texts whose SHA-256 is the one \
            known. A template that differs is named and refused, and no pack is written.
            """,
        arguments: [ArgumentSpec("directory", "The checkout.")],
        options: [
            .option(
                "line",
                value: "line",
                "The models the pack is for.",
                values: ModelLine.allCases.map(\.rawValue),
                required: true
            ),
            .option("output", short: "o", value: "file", "Where to write it.", required: true),
            .flag("partial", "Write what was verified although other templates are missing."),
        ],
        examples: ["rewardd prompts import UnifiedReward --line 2.0 -o model/prompt_pack.json"]
    )

    private static let listing = CommandSpec(
        "list",
        overview: "List a pack's templates.",
        arguments: [file]
    )

    private static let showing = CommandSpec(
        "show",
        overview: "Print one template's words.",
        arguments: [ArgumentSpec("id", "Its name, as 'list' prints it."), file]
    )

    private static let checking = CommandSpec(
        "check",
        overview: "Read a pack as the daemon does and say what is wrong with it.",
        arguments: [ArgumentSpec("file", "The pack.")]
    )

    /// Runs one of them. Returns the exit code.
    static func run(_ arguments: ParsedArguments) -> DaemonExitCode {
        do throws(RewardModelingError) {
            switch arguments.command.last {
            case "import": return try importPack(arguments)
            case "list":
                for template in try pack(arguments.text("file")).templates {
                    print(
                        "\(template.id)  \(template.task.rawValue)  \(template.kind.rawValue)  "
                            + "\(template.grammar.rawValue)  \(template.digest.hex.prefix(12))"
                    )
                }
            case "show":
                let pack = try pack(arguments.text("file"))
                let id = arguments.text("id") ?? ""
                guard let template = pack.templates.first(where: { $0.id == id }) else {
                    return fail("\(id): not found in prompt pack \"\(pack.name)\".")
                }
                print(template.text.source)
            default:
                let pack = try pack(arguments.text("file"))
                print("prompt pack \"\(pack.name)\": \(pack.templates.count) templates, all usable")
            }
            return .stopped
        } catch {
            return fail(error.message)
        }
    }

    private static func importPack(
        _ arguments: ParsedArguments
    ) throws(RewardModelingError) -> DaemonExitCode {
        guard let line = ModelLine(rawValue: arguments.text("line") ?? ""),
            let output = arguments.text("output")
        else { preconditionFailure("the parser checks the line") }
        let found = try PackImport(
            directory: arguments.text("directory") ?? "",
            line: line,
            digests: try .builtin()
        )
        for (id, outcome) in found.outcomes {
            switch outcome {
            case .verified(let file, let line): print("\(id)  verified  \(file):\(line)")
            case .differs(let files): print("\(id)  differs  \(files.joined(separator: ", "))")
            case .missing(let files): print("\(id)  missing  \(files.joined(separator: ", "))")
            }
        }
        let isWhole = found.outcomes.allSatisfy {
            if case .verified = $0.outcome { true } else { false }
        }
        guard let pack = found.pack, !found.hasDifferences, isWhole || arguments.flag("partial")
        else {
            return fail(
                found.hasDifferences
                    ? "some templates differ from what is known; nothing was written. Check out "
                        + "UnifiedReward at a commit near ff6f520."
                    : "not all templates were found; nothing was written. Name the root of the "
                        + "checkout, or give --partial."
            )
        }
        do {
            try Data(pack.utf8).write(to: URL(filePath: output), options: .atomic)
        } catch {
            return fail("\(output): cannot write: \(error.localizedDescription)")
        }
        return .stopped
    }

    private static func pack(_ path: String?) throws(RewardModelingError) -> PromptPack {
        guard let path else { return try PromptPack.builtin() }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw .invalidPromptPack("\(path): expected a file that can be read.")
        }
        do throws(RewardModelingError) {
            return try PromptPack(json: bytes)
        } catch {
            throw .invalidPromptPack("\(path): \(error.message)")
        }
    }

    private static func fail(_ sentence: String) -> DaemonExitCode {
        FileHandle.standardError.write(Data("Error: \(sentence)\n".utf8))
        return .configuration
    }
}
