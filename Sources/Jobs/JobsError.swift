import Postgres

/// What can be wrong between this program and the job queue, beyond errors of PostgreSQL itself.
package enum JobsError: Error, Sendable, Equatable {
    /// The database has no schema `rewardd`.
    case schemaMissing(database: String, needed: Int)
    /// The database is older than the statements of this program.
    case schemaTooOld(version: Int, needed: Int)
    /// The database is newer than this program knows.
    case schemaTooNew(version: Int, understood: Int)
    /// The login role is in none of the group roles.
    case notPermitted(user: String)
    /// A function of the database answered with a word or a value this program does not know.
    case unexpectedReply(function: String, expected: String, got: String)
}

// MARK: - CustomStringConvertible

extension JobsError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .schemaMissing(let database, let needed):
            "database \"\(database)\": expected schema version \(needed), got no schema rewardd. "
                + "Run `rewardctl migrate`."
        case .schemaTooOld(let version, let needed):
            "the database is at schema version \(version); this program needs at least version "
                + "\(needed). Run `rewardctl migrate`."
        case .schemaTooNew(let version, let understood):
            "the database is at schema version \(version); this program understands up to version "
                + "\(understood). Upgrade rewardd before starting it here."
        case .notPermitted(let user):
            "schema rewardd: expected a role that may use it, got \"\(user)\". "
                + "Run `GRANT rewardd_work TO \"\(user)\"` as an administrator."
        case .unexpectedReply(let function, let expected, let got):
            "rewardd.\(function): expected \(expected), got '\(got)'. "
                + "Run `rewardctl migrate`, or upgrade rewardd."
        }
    }
}
