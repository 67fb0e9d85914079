import FoundationEssentials
import Logging
import Postgres
import Staging

/// What a benchmark plays on: a directory and a private server with a migrated template, from which every
/// part takes a database of its own. ``clear()`` takes all of it away.
final class BenchmarkStage {
    /// Logins of the bench, each a member of one of the schema's groups.
    static let submitter = "bench_submitter"
    static let worker = "bench_worker"
    static let administrator = "bench_administrator"

    /// The name of the model that every job asks for.
    static let model = "bench"

    /// Where everything lies.
    let directory: String
    let cluster: PrivateCluster
    /// The one picture that items name: a pixel, which costs nothing to decode.
    let picture: String
    /// The variables of child processes.
    let environment: [String: String]

    private static let template = "bench_template"
    private let daemonProgram: String

    /// Builds everything; takes away what it has built when it cannot go on.
    ///
    /// - Parameter daemonProgram: The path of `rewardd`.
    init(_ plan: BenchmarkPlan, daemonProgram: String) throws {
        StaleRuns.clear()
        self.daemonProgram = daemonProgram
        environment = DaemonEnvironment.clean
        directory = try RunDirectory.make(prefix: StaleRuns.ownPrefix)
        picture = directory + "/picture.ppm"
        do {
            cluster = try PrivateCluster(
                directory: directory,
                durability: plan.waitsForDisk ? .powerCut : .processDeathMeasured,
                environment: environment
            )
            do {
                try cluster.start()
                try prepare()
            } catch {
                cluster.end()
                throw error
            }
        } catch {
            RunDirectory.remove(directory)
            throw error
        }
    }

    /// Stops the server and removes what was made. Daemons have ended by then.
    func clear() {
        cluster.end()
        RunDirectory.remove(directory)
    }

    /// A new database with the schema, for one part.
    func makeDatabase(_ name: String) throws -> BenchmarkDatabase {
        let connection = try superuser("postgres")
        try connection.execute(
            "CREATE DATABASE \(identifier: name) TEMPLATE \(identifier: Self.template)"
        )
        return BenchmarkDatabase(name: name, stage: self)
    }

    /// A connection as superuser, without limits of time.
    func superuser(_ database: String) throws -> Connection {
        try Connection(
            url: cluster.url(user: "postgres", database: database),
            applicationName: "rewardbench queue",
            options: .patient
        )
    }

    /// How a daemon is started that works for a database with scripted answers.
    func daemon(
        _ name: String,
        database: BenchmarkDatabase,
        answerMilliseconds: Int
    ) throws -> DaemonLaunch {
        var variables = environment
        variables["DATABASE_URL"] = database.url(Self.worker)
        variables["REWARDD_SCRIPTED_ENGINE"] = "\(answerMilliseconds)ms"
        return try DaemonLaunch(
            program: daemonProgram,
            name: name,
            settings: """
                model.\(Self.model) = scripted
                media.roots = \(directory)
                threads = 1
                log.level = warning

                """,
            directory: directory,
            environment: variables
        )
    }

    /// The server's version, such as "15.18".
    func serverVersion() throws -> String {
        let version = try superuser("postgres").serverVersion
        return "\(version / 10_000).\(version % 10_000)"
    }

    private func prepare() throws {
        try Data([UInt8]("P6\n1 1\n255\n".utf8) + [0, 0, 0]).write(to: URL(filePath: picture))
        try superuser("postgres").execute("CREATE DATABASE \(identifier: Self.template)")
        let connection = try superuser(Self.template)
        try SchemaSetup.migrate(connection)
        for (login, group) in [
            (Self.submitter, "rewardd_submit"), (Self.worker, "rewardd_work"),
            (Self.administrator, "rewardd_admin"),
        ] {
            try SchemaSetup.addLogin(login, memberOf: group, connection)
        }
    }
}
