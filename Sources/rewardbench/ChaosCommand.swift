import ArgumentParsing
import Chaos
import Glibc
import Staging

/// `rewardbench chaos`: the queue under faults, with an auditor after every round.
enum ChaosCommand {
    static let spec = CommandSpec(
        "chaos",
        overview: "Prove that the queue keeps its promises while everything around it breaks.",
        discussion: """
            Starts a private PostgreSQL server and several daemons (the 'rewardd' beside this program), \
            submits jobs of all kinds through SQL, and in rounds of ten seconds kills, freezes and drains \
            daemons, has them die at fail points, cuts their connections, loses answers of the server or all \
            that is said, crashes the server, cancels, holds, retries and pauses. After every \
            round, and once more when the faults are over and every job has ended, one SQL statement looks \
            for broken promises: lost or doubled judgements, items without a result, counters that \
            disagree, writes without a lease, jobs that never end. The first one ends the run and is shown \
            with the rows that prove it.

            The same seed plays the same faults and submits the same jobs. Answers are scripted, so that \
            the queue is the load; --model has them given by a checkpoint.

            --operations compares the SQL functions with a model of the queue in memory instead: random \
            operations on both, their answers and all state compared after each. What differs is shrunk to \
            the shortest story that shows it.

            Everything is taken away at the end, also after Ctrl-C. docs/chaos.md explains the promises.
            """,
        options: [
            .option(
                "minutes",
                value: "m",
                "Time for faults; the wait for the jobs to end comes on top.",
                default: "2",
                format: .number(0.1...10_000)
            ),
            .option(
                "daemons",
                value: "n",
                "Daemons at a time.",
                default: "3",
                format: .int(1...32)
            ),
            .option(
                "seed",
                value: "s",
                "What faults and jobs are drawn from.",
                default: "1",
                format: .int(0...Int.max)
            ),
            .option(
                "model",
                value: "directory",
                "A checkpoint to judge with instead of scripted answers, one thread for each daemon. "
                    + "Questions answered again are not counted then."
            ),
            .option(
                "operations",
                value: "n",
                "Compare so many random operations with the model of the queue; no daemons, no faults.",
                format: .int(1...1_000_000_000)
            ),
            .option(
                "keep",
                value: "directory",
                "Keep the data of the server, logs and pictures in this new directory."
            ),
            .flag("json", "Print one JSON document instead of text."),
        ],
        examples: [
            "rewardbench chaos --minutes 10 --daemons 4 --seed 7",
            "rewardbench chaos --model deploy/models/scenes --keep /tmp/chaos",
            "rewardbench chaos --operations 100000 --seed 7",
        ],
        footnote: "Exit codes: 0 every promise held, 1 one was broken, 2 wrong usage, 3 no rewardd "
            + "or model, 5 the server stayed away, 130 interrupted."
    )

    static func run(_ arguments: ParsedArguments) throws -> ExitCode {
        if let operations = try arguments.int("operations") {
            let seed = UInt64(try arguments.int("seed", in: 0...Int.max) ?? 1)
            return try compare(operations: operations, seed: seed)
        }
        var plan = ChaosPlan(
            seconds: (try arguments.number("minutes") ?? 2) * 60,
            daemons: try arguments.int("daemons") ?? 3,
            seed: UInt64(try arguments.int("seed", in: 0...Int.max) ?? 1)
        )
        plan.keptDirectory = arguments.text("keep")
        if let model = arguments.text("model") {
            guard let directory = absolute(model) else {
                ConsoleText.error(
                    "Error: \(model): expected the directory of a checkpoint, got none.\n"
                )
                return .notFound
            }
            plan.model = directory
        }
        let (program, exists) = try DaemonEnvironment.daemonProgram()
        guard exists else {
            ConsoleText.error(
                "Error: \(program): expected the daemon beside this program, got none. "
                    + "Build it: swift build --product rewardd\n"
            )
            return .notFound
        }
        InterruptFlag.install()
        let bar = ProgressLine("chaos")
        defer { bar.clear() }
        let report = try ChaosRun.play(plan, daemonProgram: program) {
            bar.show($0.done, of: $0.total, $0.note)
        }
        bar.clear()
        ConsoleText.output(arguments.flag("json") ? report.json + "\n" : report.text)
        if report.isInterrupted { return .interrupted }
        if report.obstacle != nil { return .databaseUnreachable }
        return report.hasHeld ? .success : .failure
    }

    /// Compares the functions with the model of the queue.
    private static func compare(operations: Int, seed: UInt64) throws -> ExitCode {
        InterruptFlag.install()
        let bar = ProgressLine("model")
        defer { bar.clear() }
        do {
            let seconds = try ModelRun.play(ModelCheck(seed: seed, operations: operations)) {
                bar.show($0, of: operations, "random operations")
            }
            bar.clear()
            ConsoleText.output(
                "\(operations) operations, seed \(seed), \(Int(seconds)) s: "
                    + "database and model agree after each\n"
            )
            return .success
        } catch let failure as ModelCheck.Failure {
            bar.clear()
            ConsoleText.output(failure.text)
            return .failure
        } catch is CancellationError {
            return .interrupted
        }
    }

    /// The absolute path of an existing directory.
    private static func absolute(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
