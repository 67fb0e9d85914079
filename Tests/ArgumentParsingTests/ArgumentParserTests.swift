import ArgumentParsing
import Testing

@Suite("ArgumentParser")
struct ArgumentParserTests {
    @Test("values may follow a space, an equals sign or a short option")
    func valueSpellings() throws {
        for line in [
            ["send", "file", "--level", "7"], ["send", "--level=7", "file"],
            ["send", "-l", "7", "file"], ["send", "-l7", "file"], ["send", "-l=7", "file"],
        ] {
            let arguments = try run(line)
            #expect(arguments.command == ["send"])
            #expect(try arguments.int("level") == 7, "\(line)")
            #expect(arguments.text("path") == "file")
        }
    }

    @Test("repeated options and arguments keep their order")
    func repetition() throws {
        let arguments = try run(["send", "a", "--tag", "x=1", "b", "--tag=y=2"])
        #expect(arguments.texts("tag") == ["x=1", "y=2"])
        #expect(arguments.texts("rest") == ["b"])
    }

    @Test("flags join behind one dash, and -- ends options")
    func flags() throws {
        let arguments = try run(["send", "-vf", "--", "--level", "-x"])
        #expect(arguments.flag("verbose"))
        #expect(arguments.flag("force"))
        #expect(arguments.text("path") == "--level")
        #expect(arguments.texts("rest") == ["-x"])
    }

    @Test("a dash and negative numbers are values")
    func dashes() throws {
        let arguments = try run(["send", "-", "--level", "-3", "-7"])
        #expect(arguments.text("path") == "-")
        #expect(try arguments.int("level") == -3)
        #expect(arguments.texts("rest") == ["-7"])
    }

    @Test("an option of the parent is accepted before and after the subcommand")
    func inheritedOptions() throws {
        #expect(try run(["--url", "u", "send", "f"]).text("url") == "u")
        #expect(try run(["send", "f", "--url=u"]).text("url") == "u")
    }

    @Test("precedence: option, variable, default, each with its source")
    func precedence() throws {
        let environment = ["TOOL_URL": "from-environment", "TOOL_FORCE": "yes", "TOOL_MODE": ""]
        let given = try run(["send", "f", "--url", "from-option"], environment)
        #expect(given.text("url") == "from-option")
        #expect(given.source(of: "url") == .commandLine)
        let fallen = try run(["send", "f"], environment)
        #expect(fallen.text("url") == "from-environment")
        #expect(fallen.source(of: "url") == .environment("TOOL_URL"))
        #expect(fallen.flag("force"))
        #expect(fallen.text("mode") == "fast", "an empty variable counts as unset")
        #expect(fallen.source(of: "mode") == .defaultValue)
        #expect(try run(["send", "f"]).source(of: "url") == nil)
    }

    @Test("a repeatable option's variable is split at commas")
    func repeatedVariable() throws {
        let arguments = try run(["send", "f"], ["TOOL_TAGS": "a,b"])
        #expect(arguments.texts("tag") == ["a", "b"])
    }

    @Test("aliases choose the same command")
    func aliases() throws {
        #expect(try run(["queue", "stop", "q"]).command == ["queue", "pause"])
    }

    @Test(
        "a wrong command line is answered with one sentence",
        arguments: [
            (["send", "f", "--levl", "3"], "Unknown option '--levl'. Did you mean '--level'?"),
            (["send", "f", "-z"], "Unknown option '-z'."),
            (["snd"], "Unknown subcommand 'snd'. Did you mean 'send'?"),
            (["zzzzzz"], "Unknown subcommand 'zzzzzz'."),
            ([], "Missing expected subcommand: one of 'send' or 'queue'."),
            (["queue"], "Missing expected subcommand: one of 'pause'."),
            (["send"], "Missing expected argument '<path>'."),
            (["queue", "pause", "a", "b"], "Unexpected argument 'b'."),
            (["send", "f", "--level"], "Missing value for '--level <n>'."),
            (["send", "f", "--level", "--force"], "Missing value for '--level <n>'."),
            (["send", "f", "--force=yes"], "The flag '--force' takes no value, got 'yes'."),
            (
                ["send", "f", "--level", "1", "-l2"],
                "The option '--level' may be given only once."
            ),
            (
                ["send", "f", "--level", "ten"],
                "The value 'ten' is invalid for '--level <n>': expected a whole number from -9 to 9."
            ),
            (
                ["send", "f", "--level=99"],
                "The value '99' is invalid for '--level <n>': expected a whole number from -9 to 9."
            ),
            (
                ["send", "f", "--mode", "quick"],
                "The value 'quick' is invalid for '--mode <mode>'. Please provide one of 'fast', 'slow' or 'careful'."
            ),
            (
                ["send", "f", "--mode", "fats"],
                "The value 'fats' is invalid for '--mode <mode>'. Did you mean 'fast'?"
            ),
            (
                ["send", "f", "--wait", "5"],
                "The value '5' is invalid for '--wait <duration>': expected a duration such as 30s, 5m, 2h or 1d."
            ),
            (["--help=yes"], "The flag '--help' takes no value, got 'yes'."),
            (["help", "sned"], "Unknown subcommand 'sned'. Did you mean 'send'?"),
        ]
    )
    func sentences(line: [String], sentence: String) throws {
        let error = #expect(throws: ParsingError.self) { try run(line) }
        #expect(error?.message == sentence)
    }

    @Test("an error shows usage and where to learn more")
    func errorShape() {
        let error = #expect(throws: ParsingError.self) { try run(["queue", "pause", "a", "b"]) }
        #expect(
            error?.description == """
                Error: Unexpected argument 'b'.
                Usage: tool queue pause <name>
                  See 'tool help queue pause' for more information.
                """
        )
    }

    @Test("an error names the variable when the value came from it")
    func variableErrors() {
        let number = #expect(throws: ParsingError.self) {
            try run(["send", "f"], ["TOOL_LEVEL": "ten"])
        }
        #expect(
            number?.message
                == "The value 'ten' is invalid for 'TOOL_LEVEL': expected a whole number from -9 to 9."
        )
        let flag = #expect(throws: ParsingError.self) {
            try run(["send", "f"], ["TOOL_FORCE": "maybe"])
        }
        #expect(
            flag?.message
                == "The value 'maybe' is invalid for 'TOOL_FORCE': expected true or false."
        )
    }

    @Test("a required option is missed by name")
    func requiredOption() {
        let root = CommandSpec(
            "tool",
            overview: "A tool.",
            options: [.option("model", value: "directory", "Checkpoint.", required: true)]
        )
        let error = #expect(throws: ParsingError.self) { try ArgumentParser(root).parse([]) }
        #expect(
            error?.description == """
                Error: Missing expected option '--model <directory>'.
                Usage: tool --model <directory>
                  See 'tool --help' for more information.
                """
        )
    }

    @Test("typed getters name the bound that was passed")
    func getters() throws {
        let arguments = try run(["send", "f", "--level=5", "--mode=slow", "--wait=1m30s"])
        #expect(try arguments.choice("mode", as: Mode.self) == .slow)
        #expect(try arguments.duration("wait") == .seconds(90))
        #expect(try arguments.number("level") == 5)
        let error = #expect(throws: ParsingError.self) {
            try arguments.int("level", in: 6...8)
        }
        #expect(
            error?.message
                == "The value '5' is invalid for '--level <n>': expected a whole number from 6 to 8."
        )
    }

    @Test("random command lines are read or refused, never a crash", arguments: [1, 2, 3])
    func fuzz(seed: UInt64) {
        var random = SplitMix(state: seed)
        let words = [
            "send", "queue", "pause", "--", "-", "-l", "-l=", "--level=", "--level", "5", "-5",
            "--=", "---", "-vfl", "--url", "", "=", "help", "--help=1", "-é", "\u{0}", "--tag",
        ]
        for _ in 0..<3000 {
            let line = (0..<random.next(below: 7)).map { _ in words[random.next(below: words.count)]
            }
            do throws(ParsingError) {
                _ = try ArgumentParser(tool).parse(line)
            } catch {
                #expect(".?".contains(error.message.suffix(1)), "seed \(seed): \(line)")
            }
        }
    }

    private func run(
        _ line: [String],
        _ environment: [String: String] = [:]
    ) throws -> ParsedArguments {
        let outcome = try ArgumentParser(tool, environment: environment).parse(line)
        guard case .run(let arguments) = outcome else {
            throw ParsingError(message: "expected values, got \(outcome)")
        }
        return arguments
    }
}

private enum Mode: String, CaseIterable {
    case fast
    case slow
    case careful
}

private let tool = CommandSpec(
    "tool",
    overview: "A tool.",
    options: [
        .option("url", value: "url", "Where.", environment: "TOOL_URL"),
        .flag("verbose", short: "v", "Say more."),
    ],
    groups: [
        CommandGroup(
            "COMMANDS",
            [
                CommandSpec(
                    "send",
                    overview: "Send files.",
                    arguments: [
                        ArgumentSpec("path", "A file."),
                        ArgumentSpec("rest", "More files.", required: false, repeatable: true),
                    ],
                    options: [
                        .option(
                            "level",
                            short: "l",
                            value: "n",
                            "How much.",
                            format: .int(-9...9),
                            environment: "TOOL_LEVEL"
                        ),
                        .option(
                            "mode",
                            value: "mode",
                            "How.",
                            default: "fast",
                            values: ["fast", "slow", "careful"],
                            environment: "TOOL_MODE"
                        ),
                        .option(
                            "tag",
                            value: "k=v",
                            "Labels.",
                            environment: "TOOL_TAGS",
                            repeatable: true
                        ),
                        .option("wait", value: "duration", "How long.", format: .duration),
                        .flag("force", short: "f", "Do it.", environment: "TOOL_FORCE"),
                    ]
                ),
                CommandSpec(
                    "queue",
                    overview: "Queues.",
                    groups: [
                        CommandGroup(
                            "COMMANDS",
                            [
                                CommandSpec(
                                    "pause",
                                    aliases: ["stop"],
                                    overview: "Pause a queue.",
                                    arguments: [ArgumentSpec("name", "Its name.")]
                                )
                            ]
                        )
                    ]
                ),
            ]
        )
    ]
)

/// Vigna's SplitMix64: the same numbers for the same seed everywhere.
private struct SplitMix {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
