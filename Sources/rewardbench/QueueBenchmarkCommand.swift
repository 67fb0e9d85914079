import ArgumentParsing
import FoundationEssentials
import QueueBenchmark
import Staging

/// `rewardbench queue`: the queue's speed beside plain PostgreSQL's in the same run, against goals.
enum QueueBenchmarkCommand {
    static let spec = CommandSpec(
        "queue",
        overview: "Measure the queue beside plain PostgreSQL, against goals.",
        discussion: """
            Starts a private PostgreSQL server and real daemons (the 'rewardd' beside this program) whose \
            answers are scripted and cost nothing, and measures submitting, storing judgements, the way \
            from a submission to its start, claims over large backlogs, and the rescue of a killed daemon's \
            work. Each figure is the median of several repeats, with its spread, beside what pgbench or a \
            plain statement reached on the same server in the same minute: the ratio says what the queue \
            costs, whatever else the machine does.

            A goal that the plain statement misses too is shown as out of reach: it is the machine's. With \
            --no-disk commits do not wait for the disk, which leaves the statements themselves.

            Everything is taken away at the end, also after Ctrl-C. docs/queue-performance.md has figures.
            """,
        options: [
            .option(
                "only",
                value: "parts",
                "Which parts, separated by commas: "
                    + BenchmarkPart.allCases.map(\.rawValue).joined(separator: ", ") + ".",
                defaultText: "all"
            ),
            .option(
                "rows",
                value: "n",
                "Shards in the largest backlog.",
                default: "1000000",
                format: .int(100...10_000_000)
            ),
            .option(
                "seconds",
                value: "s",
                "Time of one repeat of a throughput.",
                default: "4",
                format: .int(1...600)
            ),
            .option(
                "repeats",
                value: "n",
                "Repeats of everything.",
                default: "3",
                format: .int(1...100)
            ),
            .option(
                "samples",
                value: "n",
                "Samples of a latency in each repeat.",
                default: "300",
                format: .int(10...100_000)
            ),
            .flag("no-disk", "Do not wait for the disk at commits."),
            .flag("no-goals", "Exit with 0 even when a goal is missed."),
            .flag("json", "Print one JSON document instead of text."),
        ],
        examples: [
            "rewardbench queue",
            "rewardbench queue --only claim,start --repeats 5 --json",
        ],
        footnote: "Exit codes: 0 every goal met, 1 one was missed, 2 wrong usage, 3 no rewardd, "
            + "130 interrupted."
    )

    static func run(_ arguments: ParsedArguments) async throws -> ExitCode {
        var plan = BenchmarkPlan()
        if let only = arguments.text("only") {
            plan.parts = []
            for name in only.split(separator: ",", omittingEmptySubsequences: false) {
                guard let part = BenchmarkPart(rawValue: String(name)) else {
                    let known = BenchmarkPart.allCases.map(\.rawValue).joined(separator: ", ")
                    ConsoleText.error(
                        "Error: --only: expected parts among \(known), got '\(name)'.\n"
                    )
                    return .usage
                }
                plan.parts.insert(part)
            }
        }
        plan.rows = try arguments.int("rows") ?? plan.rows
        plan.seconds = try arguments.int("seconds") ?? plan.seconds
        plan.repeats = try arguments.int("repeats") ?? plan.repeats
        plan.samples = try arguments.int("samples") ?? plan.samples
        plan.waitsForDisk = !arguments.flag("no-disk")
        let (program, exists) = try DaemonEnvironment.daemonProgram()
        guard exists else {
            ConsoleText.error(
                "Error: \(program): expected the daemon beside this program, got none. "
                    + "Build it: swift build --product rewardd\n"
            )
            return .notFound
        }
        InterruptFlag.install()
        let bar = ProgressLine("queue")
        defer { bar.clear() }
        let report = try await BenchmarkRun.play(plan, daemonProgram: program) {
            bar.show($0.done, of: $0.total, $0.note)
        }
        bar.clear()
        ConsoleText.output(arguments.flag("json") ? report.json + "\n" : report.text)
        if report.isInterrupted { return .interrupted }
        return report.misses.isEmpty || arguments.flag("no-goals") ? .success : .failure
    }
}
