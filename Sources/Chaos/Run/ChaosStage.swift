import FoundationEssentials
import Postgres
import Staging

/// What a run plays on: a directory, a private server with a migrated database and its logins, pictures,
/// and daemons that are not started yet. ``clear()`` takes all of it away.
final class ChaosStage {
    /// Where everything lies.
    let directory: String
    /// The server.
    let cluster: PrivateCluster
    /// The daemons.
    let fleet: DaemonFleet
    /// The pictures that jobs name.
    let media: MediaSet
    /// Where scripted engines write what they answered; nil with a real model.
    let journalPath: String?

    private let isKept: Bool

    /// Builds everything; takes away what it has built when it cannot go on.
    ///
    /// - Parameter daemonProgram: The path of `rewardd`.
    init(_ plan: ChaosPlan, daemonProgram: String) throws {
        StaleRuns.clear()
        isKept = plan.keptDirectory != nil
        if let kept = plan.keptDirectory {
            directory =
                kept.hasPrefix("/")
                ? kept : FileManager.default.currentDirectoryPath + "/" + kept
            try RunDirectory.make(exactly: directory)
        } else {
            directory = try RunDirectory.make(prefix: StaleRuns.ownPrefix)
        }
        do {
            var environment = DaemonEnvironment.clean
            cluster = try PrivateCluster(
                directory: directory,
                durability: .processDeath,
                environment: environment
            )
            do {
                try cluster.start()
                try Self.migrate(cluster.url, limit: plan.limit)
                media = MediaSet(directory: directory + "/media")
                try media.write(seed: plan.seed)
                journalPath = plan.model == nil ? directory + "/answers" : nil
                if let journalPath {
                    environment["REWARDD_SCRIPTED_ENGINE"] =
                        "\(plan.answerMilliseconds)ms,\(journalPath)"
                }
                environment.merge(plan.daemonEnvironment) { _, given in given }
                fleet = try DaemonFleet(
                    plan.daemons,
                    program: daemonProgram,
                    settings: Self.settings(plan, media: media.directory),
                    directory: directory,
                    environment: environment,
                    server: cluster.socketPath,
                    url: { PrivateCluster.url(user: "chaos_worker", directory: $0) }
                )
            } catch {
                cluster.end()
                throw error
            }
        } catch {
            if !isKept { RunDirectory.remove(directory) }
            throw error
        }
    }

    /// Kills what still runs and removes what was made, but for a directory that is to be kept.
    func clear() {
        fleet.clear()
        cluster.end()
        if !isKept { RunDirectory.remove(directory) }
    }

    private static func settings(_ plan: ChaosPlan, media: String) -> String {
        """
        model.\(Workload.model) = \(plan.model ?? "scripted")
        media.roots = \(media)
        queues = \(Workload.queues.joined(separator: ", "))
        slots = \(plan.slots)
        items = \(plan.itemsAtOnce)
        threads = 1
        grace = 5s

        """
    }

    /// The schema, the logins that a team would make, the queues, one of them with a limit, and the tables
    /// of the auditor.
    private static func migrate(_ url: String, limit: Int) throws {
        let connection = try Connection(
            url: url,
            applicationName: "chaos set-up",
            options: .patient
        )
        try SchemaSetup.migrate(connection)
        for (login, group) in [
            ("chaos_worker", "rewardd_work"), ("chaos_submitter", "rewardd_submit"),
            ("chaos_operator", "rewardd_admin"),
        ] {
            try SchemaSetup.addLogin(login, memberOf: group, connection)
        }
        for queue in Workload.queues {
            _ = try connection.execute("SELECT rewardd.create_queue(\(queue))")
        }
        _ = try connection.execute(
            "SELECT rewardd.set_queue_limit(\(Workload.limitedQueue), \(limit))"
        )
        try Auditor.install(connection)
    }
}
