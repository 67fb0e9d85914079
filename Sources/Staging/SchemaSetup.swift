import Migrations
package import Postgres

/// The schema in an empty database, with the logins that a team would make.
package enum SchemaSetup {
    /// Applies every migration.
    package static func migrate(_ connection: Connection) throws {
        for statement in MigrationPlan.statements(current: 0, target: MigrationCatalog.latest) {
            _ = try connection.execute(Query(script: statement))
        }
    }

    /// Makes a login that is a member of one of the groups.
    package static func addLogin(
        _ login: String,
        memberOf group: String,
        _ connection: Connection
    ) throws {
        _ = try connection.execute("CREATE ROLE \(identifier: login) LOGIN")
        _ = try connection.execute("GRANT \(identifier: group) TO \(identifier: login)")
    }
}
