import Postgres
import Staging

/// A ``ModelCheck`` on a private server that is made for it and taken away at the end.
package enum ModelRun {
    /// Plays the check and returns the seconds it took, the making of the server not counted.
    ///
    /// Throws what ``ModelCheck/run(_:progress:)`` throws; `CancellationError` after Ctrl-C.
    ///
    /// - Parameter progress: Hears how many operations are done.
    package static func play(_ check: ModelCheck, progress: (Int) -> Void) throws -> Double {
        StaleRuns.clear()
        let directory = try RunDirectory.make(prefix: StaleRuns.ownPrefix)
        defer { RunDirectory.remove(directory) }
        let cluster = try PrivateCluster(
            directory: directory,
            durability: .processDeath,
            environment: DaemonEnvironment.clean
        )
        defer { cluster.end() }
        try cluster.start()
        let connection = try Connection(
            url: cluster.url,
            applicationName: "model of the queue",
            options: .patient
        )
        try SchemaSetup.migrate(connection)
        let start = ContinuousClock.now
        try check.run(connection) { done in
            progress(done)
            return !InterruptFlag.isRaised
        }
        return start.duration(to: .now) / .seconds(1)
    }
}
