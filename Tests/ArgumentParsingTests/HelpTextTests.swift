import ArgumentParsing
import Testing

@Suite("HelpText")
struct HelpTextTests {
    @Test("labels sit at 2, summaries at 26, and the tool appends defaults, values and variables")
    func layout() throws {
        let spec = CommandSpec(
            "tool",
            overview: "Do one thing.",
            discussion: "First paragraph.\n\nSecond one.",
            arguments: [ArgumentSpec("id", "Which ones.", repeatable: true)],
            options: [
                .option(
                    "output",
                    short: "o",
                    value: "format",
                    "How to print.",
                    default: "table",
                    values: ["table", "json"],
                    environment: "TOOL_OUTPUT"
                ),
                .option(
                    "threads",
                    value: "n",
                    "Threads.",
                    defaultText: "cores ÷ engines"
                ),
                .option("a-very-long-option-name", value: "value", "Wraps below."),
                .flag("dry-run", "Change nothing."),
            ],
            examples: ["tool 4711", "tool -o json 4711"],
            footnote: "Exit codes: 0, 2."
        )
        let page = try page(spec, width: 100, ["--help"])
        #expect(
            page == """
                OVERVIEW: Do one thing.

                First paragraph.

                Second one.

                USAGE: tool <id> ... [options]

                ARGUMENTS:
                  <id>                    Which ones.

                OPTIONS:
                  -o, --output <format>   How to print. (values: table, json) (default: table) [TOOL_OUTPUT]
                  --threads <n>           Threads. (default: cores ÷ engines)
                  --a-very-long-option-name <value>
                                          Wraps below.
                  --dry-run               Change nothing.
                  --version               Print the version and exit.
                  -h, --help              Show this help.

                EXAMPLES:
                  tool 4711
                  tool -o json 4711

                Exit codes: 0, 2.

                """
        )
    }

    @Test("subcommands are grouped under their headings and inherit options")
    func groups() throws {
        let spec = CommandSpec(
            "tool",
            overview: "Many things.",
            options: [.option("url", value: "url", "Where.", environment: "URL")],
            groups: [
                CommandGroup("JOBS", [CommandSpec("send", overview: "Send.")]),
                CommandGroup(
                    "QUEUES",
                    [
                        CommandSpec(
                            "queue",
                            overview: "Queues.",
                            groups: [
                                CommandGroup(
                                    "COMMANDS",
                                    [CommandSpec("pause", overview: "Pause one.")]
                                )
                            ]
                        )
                    ]
                ),
            ]
        )
        #expect(
            try page(spec, width: 100, ["-h"]) == """
                OVERVIEW: Many things.

                USAGE: tool [--url <url>] <subcommand>

                OPTIONS:
                  --url <url>             Where. [URL]
                  --version               Print the version and exit.
                  -h, --help              Show this help.

                JOBS:
                  send                    Send.

                QUEUES:
                  queue                   Queues.

                  See 'tool help <subcommand>' for detailed help.

                """
        )
        #expect(
            try page(spec, width: 100, ["help", "queue", "pause"]) == """
                OVERVIEW: Pause one.

                USAGE: tool queue pause

                OPTIONS:
                  --url <url>             Where. [URL]
                  -h, --help              Show this help.

                """
        )
        #expect(
            try page(spec, width: 100, ["queue", "--help"]).hasSuffix(
                "  See 'tool help queue <subcommand>' for detailed help.\n"
            )
        )
        #expect(
            try page(spec, width: 100, ["queue", "pause", "-h"])
                == page(spec, width: 100, ["help", "queue", "pause"])
        )
    }

    @Test("lines stay within the width", arguments: [60, 80, 100, 140])
    func wrapping(width: Int) throws {
        let words = String(repeating: "several words that must wrap ", count: 12)
        let spec = CommandSpec(
            "tool",
            overview: words,
            discussion: words,
            options: [.option("level", value: "n", words, default: "1")]
        )
        let lines = try page(spec, width: width, ["--help"]).split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.filter { $0.hasPrefix(String(repeating: " ", count: 26)) }.count >= 2)
    }

    @Test("--version prints the name and the version")
    func version() throws {
        let spec = CommandSpec("tool", overview: "A tool.")
        let outcome = try ArgumentParser(spec, version: "1.2.3").parse(["--version"])
        guard case .version(let line) = outcome else {
            Issue.record("expected the version, got \(outcome)")
            return
        }
        #expect(line == "tool 1.2.3")
    }

    private func page(_ spec: CommandSpec, width: Int, _ line: [String]) throws -> String {
        let outcome = try ArgumentParser(spec, version: "1.0", width: width).parse(line)
        guard case .help(let page) = outcome else {
            throw ParsingError(message: "expected help, got \(outcome)")
        }
        return page
    }
}
