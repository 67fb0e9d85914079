import Postgres

extension JobQueue {
    /// Removes some of what the retention of queues says is too old, in one short transaction.
    ///
    /// - Returns: How many jobs are gone for good, and how many rows were removed; with 0 rows there is
    ///   nothing more to do, or another daemon is doing it.
    package func prune() async throws -> (jobs: Int, rows: Int) {
        try await session.run { connection in
            let row = try connection.execute("SELECT jobs, rows FROM rewardd.prune()").only()
            return (jobs: try row.int("jobs"), rows: try row.int("rows"))
        }
    }
}
