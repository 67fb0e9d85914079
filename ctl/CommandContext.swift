import ArgumentParsing
import Postgres

/// What a command gets: its arguments, the two output streams, and a way to the database.
struct CommandContext {
    /// The values of the command line.
    let arguments: ParsedArguments
    /// What the output streams can show.
    let terminal: Terminal
    /// Where data goes.
    let output: StandardOutput

    /// Opens the database.
    ///
    /// - Throws: `CommandFailure` (exit code 5) when it cannot be reached.
    func connect() throws -> SQLAPI {
        try SQLAPI(url: DatabaseLocation.resolve(arguments))
    }

    /// Prints a message for people on standard error.
    func say(_ text: String) {
        terminal.message(text)
    }

    /// The job number of the argument called `name`.
    func jobID(_ name: String = "id") throws -> Int64 {
        guard let text = arguments.text(name), let id = Int64(text) else {
            throw arguments.invalid(name, CommonArguments.idExpectation)
        }
        return id
    }

    /// The numbers of a repeatable argument.
    func ids(_ name: String = "id") throws -> [Int64] {
        try arguments.texts(name).map { text in
            guard let id = Int64(text) else {
                throw arguments.invalid(name, CommonArguments.idExpectation)
            }
            return id
        }
    }
}

/// One subcommand: how it is described and what it does.
protocol Command: Sendable {
    /// Its help, arguments and options.
    static var spec: CommandSpec { get }

    /// Does it.
    ///
    /// - Returns: What the process exits with.
    /// - Throws: `CommandFailure`, `ParsingError` or `PostgresError`, each mapped to an exit code by
    ///   `Rewardctl`.
    static func run(_ context: CommandContext) throws -> ExitCode
}
