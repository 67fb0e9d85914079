import Glibc
import Migrations
package import Postgres
import Synchronization

/// A database of one's own on the process's cluster, dropped with the last reference or at the end
/// of the process.
package final class TemporaryDatabase: Sendable {
    /// For superuser `postgres`.
    package let url: String
    package let name: String
    package let cluster: TestCluster

    private let logins = Mutex<[String]>([])

    /// A database with every migration of this build applied, copied from a template made once per
    /// process.
    package static func migrated() throws -> TemporaryDatabase {
        try TemporaryDatabase(template: try migratedTemplate.get(), cluster: .shared())
    }

    /// A database without the schema.
    package static func empty() throws -> TemporaryDatabase {
        try TemporaryDatabase(template: "template0", cluster: .shared())
    }

    private init(template: String, cluster: TestCluster) throws {
        self.cluster = cluster
        name = Self.freshName()
        url = cluster.url(database: name)
        if cluster.isFromEnvironment {
            // A database held by a static property is never released.
            AtExit.run { [name] in Self.drop(name, logins: [], on: cluster) }
        }
        let connection = try Self.maintenance(of: cluster)
        try connection.execute(
            "CREATE DATABASE \(identifier: name) TEMPLATE \(identifier: template)"
        )
    }

    deinit {
        Self.drop(name, logins: logins.withLock { $0 }, on: cluster)
    }

    /// A new connection as superuser.
    package func connect(options: ConnectionOptions = ConnectionOptions()) throws -> Connection {
        try Connection(url: url, applicationName: "tests", options: options)
    }

    /// Creates a login role that is a member of the given group roles, and returns the URL for it.
    package func makeLogin(memberOf groups: [String]) throws -> String {
        let login = logins.withLock { logins in
            logins.append("\(name)_\(logins.count + 1)")
            return logins[logins.count - 1]
        }
        let connection = try connect()
        try connection.execute("CREATE ROLE \(identifier: login) LOGIN")
        for group in groups {
            try connection.execute("GRANT \(identifier: group) TO \(identifier: login)")
        }
        return cluster.url(database: name, user: login)
    }

    private static func drop(_ name: String, logins: [String], on cluster: TestCluster) {
        guard let connection = try? maintenance(of: cluster) else { return }
        _ = try? connection.execute("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
        for login in logins {
            _ = try? connection.execute("DROP ROLE IF EXISTS \(identifier: login)")
        }
    }

    // MARK: - Template

    private static let counter = Atomic(0)

    private static func freshName() -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        return "rewardd_test_\(getpid())_\(number)"
    }

    private static func maintenance(of cluster: TestCluster) throws -> Connection {
        try Connection(url: cluster.url, applicationName: "tests", options: .patient)
    }

    /// The template's name. Roles belong to the whole server, so processes that share one migrate
    /// one at a time.
    private static let migratedTemplate: Result<String, any Error> = Result {
        let cluster = try TestCluster.shared()
        let name = freshName() + "_template"
        let connection = try maintenance(of: cluster)
        try connection.execute("SELECT pg_advisory_lock(1919252068, -1)")
        try connection.execute("CREATE DATABASE \(identifier: name) TEMPLATE template0")
        if cluster.isFromEnvironment { AtExit.run { drop(name, logins: [], on: cluster) } }
        let template = try Connection(
            url: cluster.url(database: name),
            applicationName: "tests",
            options: .patient
        )
        for statement in MigrationPlan.statements(current: 0, target: MigrationCatalog.latest) {
            try template.execute(Query(script: statement))
        }
        return name
    }
}
