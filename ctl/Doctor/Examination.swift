import ArgumentParsing
import JSONReading
import Migrations
import Postgres

/// The checks of `rewardctl doctor`, one after the other; each only reads.
///
/// A check that this role may not make is a finding of its own, as is one that fails: the others
/// still tell what they can.
struct Examination {
    let api: SQLAPI
    /// Opens a second connection, to see whether notifications arrive.
    let connectAgain: () throws -> SQLAPI
    /// Age from which a transaction is worth a warning.
    var transactionAge: Duration = .seconds(300)
    /// How long a running shard may show no progress.
    var shardPatience: Duration = .seconds(1800)
    /// How long a notification may take.
    var notificationPatience: Duration = .seconds(2)

    /// One check: its name in reports, whether it needs the schema, and what it does.
    private struct Check: Sendable {
        let name: String
        let needsSchema: Bool
        let findings: @Sendable (Examination) throws -> [Finding]
    }

    private static let all: [Check] = [
        Check(name: "schema_objects", needsSchema: true) { try $0.schemaFindings() },
        Check(name: "transactions", needsSchema: false) { try $0.transactionFindings() },
        Check(name: "vacuum", needsSchema: false) { try $0.vacuumFindings() },
        Check(name: "connections", needsSchema: false) { try $0.connectionFindings() },
        Check(name: "clock", needsSchema: false) { try $0.clockFindings() },
        Check(name: "notifications", needsSchema: false) { try $0.notificationFindings() },
        Check(name: "daemons", needsSchema: true) { try $0.daemonFindings() },
        Check(name: "queues", needsSchema: true) { try $0.queueFindings() },
        Check(name: "shards", needsSchema: true) { try $0.shardFindings() },
    ]

    /// The names of all checks.
    static let checks = ["schema_version"] + all.map(\.name)

    /// The first schema version with the functions that the checks call.
    static let neededVersion = 22

    /// Makes the checks.
    ///
    /// - Throws: `PostgresError` when the connection is lost, or when this role has no right to
    ///   anything of the schema.
    func report() throws -> ExaminationReport {
        let version = try schemaVersion()
        let checks = Self.all.filter { version > 0 || !$0.needsSchema }
        return ExaminationReport(
            checks: ["schema_version"] + checks.map(\.name),
            findings: try versionFindings(version) + checks.flatMap { try made($0, version) }
        )
    }

    private func made(_ check: Check, _ version: Int) throws -> [Finding] {
        do {
            return try check.findings(self)
        } catch let error as PostgresError where !error.isConnectionLost {
            return [failed(check.name, version, error)]
        }
    }

    /// What an error within a check says about the database.
    private func failed(_ check: String, _ version: Int, _ error: PostgresError) -> Finding {
        var finding = Finding(
            severity: .notChecked,
            check: check,
            subject: "check \(check)",
            expected: "that it can be made",
            found: "\(error.message).",
            remedy: ""
        )
        let lacks: [SQLState?] = [.undefinedFunction, .undefinedTable]
        if error.sqlState == .insufficientPrivilege {
            finding.remedy =
                "Connect as a member of rewardd_admin or rewardd_read. Where the role is one, look at "
                + "the owners and grants that schema_objects names."
        } else if version < Self.neededVersion, lacks.contains(error.sqlState) {
            finding.found =
                "the schema is at version \(version); this came with \(Self.neededVersion)."
            finding.remedy = "Run 'rewardctl migrate'."
        } else {
            finding.severity = .problem
            finding.remedy = "Restore what the message names, from migrations/ or by this report."
        }
        return finding
    }

    /// Seconds as people read them.
    static func age(_ seconds: Double) -> String {
        DurationText.describe(.seconds(min(max(seconds, 0), 1e9).rounded()))
    }
}
