import Postgres

extension JobQueue {
    /// Records what a daemon finds about the servers it asks, in place of what it said before. Tried once:
    /// the next report comes soon.
    ///
    /// - Parameter json: An array of objects, as `rewardd.report_engines` takes it.
    /// - Returns: False when the database does not know the daemon any more.
    @discardableResult
    package func reportEngines(daemonID: Int64, json: String) async throws -> Bool {
        try await session.run { connection in
            try connection.execute(
                """
                SELECT rewardd.report_engines(
                    daemon_id => \(daemonID), engines => \(json: json)) AS known
                """
            ).only().bool("known")
        }
    }
}
