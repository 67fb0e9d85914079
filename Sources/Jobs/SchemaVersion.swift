package import Postgres

/// Which schema a database has.
package struct SchemaVersion: Sendable, Equatable {
    /// The newest migration applied.
    package let version: Int

    package init(version: Int) {
        self.version = version
    }

    /// Asks the database. Throws `JobsError.schemaMissing` and `.notPermitted`, or the server's
    /// error.
    ///
    /// - Parameter needed: the version to name when there is none.
    package static func read(_ connection: Connection, needed: Int) throws -> SchemaVersion {
        do {
            let row = try connection.execute(
                "SELECT rewardd.schema_version() AS version"
            ).only()
            // A schema that stopped before its first migration was recorded counts as version 0.
            return SchemaVersion(version: try row.intIfPresent("version") ?? 0)
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

    /// Refuses a database this program cannot work with: older than its statements, or newer than it
    /// knows, since only the newer program can say what changed.
    ///
    /// - Parameters:
    ///   - oldest: the first version that has everything the program calls.
    ///   - latest: the newest version the program knows.
    package func check(oldest: Int, latest: Int) throws(JobsError) {
        if version > latest {
            throw .schemaTooNew(version: version, understood: latest)
        }
        if version < oldest {
            throw .schemaTooOld(version: version, needed: oldest)
        }
    }
}
