import Postgres

extension JobQueue {
    /// Refuses a database this program cannot work with. Repeated until the database answers.
    ///
    /// - Parameters:
    ///   - oldest: the first schema version that has everything the program calls.
    ///   - latest: the newest version the program knows.
    package func checkSchema(oldest: Int, latest: Int) async throws {
        let version = try await session.withRetry(retry) { connection in
            try SchemaVersion.read(connection, needed: oldest)
        }
        try version.check(oldest: oldest, latest: latest)
    }
}
