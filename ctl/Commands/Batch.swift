import ArgumentParsing
import Postgres

/// One change to each of several things: says what became of each, goes on after a refusal.
enum Batch {
    /// Runs `change` for every id and prints `noun id: outcome`.
    ///
    /// - Returns: Success, or the code of the first refusal.
    /// - Throws: `PostgresError` when the connection is lost, since nothing after it could work.
    static func run<ID>(
        _ ids: [ID],
        _ noun: String,
        _ context: CommandContext,
        _ change: (ID) throws -> String
    ) throws -> ExitCode {
        var worst = ExitCode.success
        for id in ids {
            do {
                try context.output.line("\(noun) \(id): \(try change(id))")
            } catch let error as PostgresError where !error.isConnectionLost {
                let failure = FailureTable.failure(error)
                try context.output.flush()
                context.say("Error: \(failure.message)")
                if worst == .success { worst = failure.exitCode }
            }
        }
        return worst
    }
}
