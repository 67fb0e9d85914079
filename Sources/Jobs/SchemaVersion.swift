package import Postgres

/// Which schema a database has.
package struct SchemaVersion: Sendable, Equatable {
    /// The newest migration applied.
    package let version: Int
    /// The newest breaking migration applied, 0 for none.
    package let breaking: Int

    package init(version: Int, breaking: Int) {
        self.version = version
        self.breaking = breaking
    }

    /// Asks the database. Throws `JobsError.schemaMissing` and `.notPermitted`, or the server's
    /// error.
    ///
    /// - Parameter needed: the version to name when there is none.
    package static func read(_ connection: Connection, needed: Int) throws -> SchemaVersion {
        do {
            let row = try connection.execute(
                "SELECT rewardd.schema_version() AS version, rewardd.breaking_version() AS breaking"
            ).only()
            // A schema that stopped before its first migration was recorded counts as version 0.
            return SchemaVersion(
                version: try row.intIfPresent("version") ?? 0,
                breaking: try row.int("breaking")
            )
        } catch {
            switch error.sqlState {
            case .some(.invalidSchemaName), .some(.undefinedFunction):
                throw JobsError.schemaMissing(
                    database: connection.address.database,
                    needed: needed
                )
            case .some(.insufficientPrivilege):
                throw JobsError.notPermitted(user: connection.address.user)
            default: throw error
            }
        }
    }

    /// Refuses a database this program cannot work with.
    ///
    /// - Parameters:
    ///   - oldest: the first version that has everything the program calls.
    ///   - latest: the newest version the program knows. A newer database is accepted unless a
    ///     migration in between is marked as breaking.
    package func check(oldest: Int, latest: Int) throws(JobsError) {
        if breaking > latest {
            throw .schemaTooNew(version: version, breaking: breaking, understood: latest)
        }
        if version < oldest {
            throw .schemaTooOld(version: version, needed: oldest)
        }
    }
}
