package import Postgres

/// Checks the promises of the queue with one SQL statement, `audit.sql`, and remembers what is committed, so
/// that the next audit misses it when it is gone.
package struct Auditor: Sendable {
    /// What the auditor cannot see in the database.
    package struct Circumstances: Sendable {
        /// Whether all faults are over, so that every job must have ended.
        package var isSettled = false
        /// For how many seconds a daemon must be up, before it is expected to have noticed the dead.
        package var patience = 20
        /// Answers that engines gave.
        package var answers = 0
        /// Those of them to questions answered before.
        package var repeats = 0
        /// As many of these as interruptions explain.
        package var repeatsAllowed = 0

        /// Faults are still going on, and no engine tells what it did.
        package init() {}
    }

    /// What was seen so far.
    package var witness = Witness()

    /// An auditor who has seen nothing.
    package init() {}

    /// Makes the tables that the auditor needs, in a migrated database. By the superuser, once.
    package static func install(_ connection: Connection) throws(PostgresError) {
        _ = try connection.executeScript(text(PackageResources.ledger_sql))
    }

    /// The violations of this moment; none when the queue keeps its promises.
    package mutating func audit(
        _ connection: Connection,
        _ circumstances: Circumstances = Circumstances()
    ) throws -> [Violation] {
        let found = try connection.transaction { connection in
            // Over 156 000 judgements an audit takes 10 s with compiled expressions and 3 s without.
            _ = try connection.execute("SET LOCAL jit = off")
            try witness.testify(connection)
            _ = try connection.execute("DELETE FROM chaos.setting")
            _ = try connection.execute(
                """
                INSERT INTO chaos.setting (settled, patience, answers, repeats, repeats_allowed)
                VALUES (\(circumstances.isSettled),
                    make_interval(secs => \(circumstances.patience)::float8),
                    \(circumstances.answers), \(circumstances.repeats),
                    \(circumstances.repeatsAllowed))
                """
            )
            let rows = try connection.execute(
                Query(script: Self.text(PackageResources.audit_sql))
            )
            return try rows.map { row in
                Violation(
                    invariant: try row.text("invariant"),
                    rule: try row.text("rule"),
                    evidence: try row.text("evidence"),
                    total: try row.int("total")
                )
            }
        }
        let seen = try connection.execute(
            Query(script: Self.text(PackageResources.snapshot_sql))
        )
        for row in seen {
            witness.saw(try row.text("kind"), try row.text("key"), try row.text("digest"))
        }
        return found
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
