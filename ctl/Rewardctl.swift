import ArgumentParsing
import FoundationEssentials
import Glibc
import Postgres

/// `rewardctl`: administers a queue of reward-model jobs through SQL functions alone.
@main
enum Rewardctl {
    static func main() {
        // Whatever the parent did with SIGPIPE: `rewardctl results 7 | head` ends quietly.
        signal(SIGPIPE, SIG_DFL)
        let arguments = ProcessArguments.parseOrExit(
            CommandTree.root,
            version: ToolVersion.current
        )
        let context = CommandContext(
            arguments: arguments,
            terminal: Terminal.current(environment: ProcessInfo.processInfo.environment),
            output: StandardOutput()
        )
        exit(run(context).rawValue)
    }

    /// Runs the chosen command; its failure is one message on standard error and an exit code.
    private static func run(_ context: CommandContext) -> ExitCode {
        let failure: CommandFailure
        do {
            guard let command = CommandTree.commands[context.arguments.command] else {
                preconditionFailure("no command \(context.arguments.command)")
            }
            let code = try command.run(context)
            try context.output.flush()
            return code
        } catch let error as ParsingError {
            context.say(error.description)
            return .usage
        } catch let error as CommandFailure {
            failure = error
        } catch let error as PostgresError {
            failure = FailureTable.failure(error)
        } catch {
            failure = CommandFailure(.failure, "\(error)")
        }
        // Rows that were complete before the failure are still good data.
        try? context.output.flush()
        context.say("Error: \(failure.message)")
        return failure.exitCode
    }
}
