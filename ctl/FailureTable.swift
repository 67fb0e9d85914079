import ArgumentParsing
import Postgres

/// Errors of the database as sentences for people and exit codes for scripts: the one place where
/// they are mapped.
enum FailureTable {
    /// The failure that an error of PostgreSQL amounts to.
    static func failure(_ error: PostgresError) -> CommandFailure {
        CommandFailure(exitCode(error), sentence(error))
    }

    private static func exitCode(_ error: PostgresError) -> ExitCode {
        switch error.kind {
        case .cannotConnect, .connectionLost, .commitUnknown: return .databaseUnreachable
        case .invalidInput: return .usage
        case .unexpectedResult: return .failure
        case .statementFailed: break
        }
        switch error.sqlState {
        case .insufficientPrivilege: return .permissionDenied
        case .noDataFound: return .notFound
        case .wrongState, .invalidSchemaName, .undefinedFunction, .undefinedTable:
            return .conflict
        case .invalidParameterValue: return .usage
        default: return .failure
        }
    }

    /// The server's own words where the functions of this package wrote them for the user; the code
    /// and the statement where PostgreSQL itself objects.
    private static func sentence(_ error: PostgresError) -> String {
        switch error.sqlState {
        case .invalidSchemaName, .undefinedFunction, .undefinedTable:
            return finished([
                error.message,
                "This database has no schema 'rewardd' of the version this rewardctl needs. "
                    + "Run 'rewardctl migrate'",
            ])
        case .insufficientPrivilege where error.hint == nil:
            return finished([
                error.message,
                "Roles rewardd_submit, rewardd_read and rewardd_admin carry the rights; ask an "
                    + "administrator to grant yours one of them",
            ])
        case .insufficientPrivilege, .noDataFound, .wrongState, .invalidParameterValue:
            return finished([error.message, error.hint.map(inCommands)])
        default:
            return finished([error.description])
        }
    }

    /// A hint of the database with this tool's commands in place of SQL names.
    private static func inCommands(_ hint: String) -> String {
        let commands = [
            "rewardd.create_queue": "'rewardctl queue create'",
            "rewardd.grant_queue": "'rewardctl queue grant'",
            "rewardd.pause_queue": "'rewardctl queue pause'",
            "rewardd.put_media": "'--upload-media'",
            "rewardd.job_status": "'rewardctl get jobs'",
            "rewardd.daemon_status": "'rewardctl get daemons'",
            "rewardd.queue_status": "'rewardctl get queues'",
            "rewardd.schedule_status": "'rewardctl get schedules'",
            "replace => true": "'--replace'",
        ]
        return commands.reduce(hint) { $0.replacing($1.key, with: $1.value) }
    }

    /// The parts as sentences, each with a full stop.
    private static func finished(_ parts: [String?]) -> String {
        parts.compactMap { $0 }.filter { !$0.isEmpty }.map { part in
            ".!?".contains(part.suffix(1)) ? part : part + "."
        }.joined(separator: " ")
    }
}
