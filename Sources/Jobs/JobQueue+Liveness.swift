import Postgres

extension JobQueue {
    /// Announces a daemon and returns its number, good for 15 s and then from heartbeat to
    /// heartbeat. Repeated: a registration whose answer was lost expires by itself.
    package func register(_ registration: DaemonRegistration) async throws -> Int64 {
        try await session.withRetry(retry) { try LivenessStatements.register($0, registration) }
    }

    /// Takes the daemon's advisory lock on this queue's session, which must be the one that sends
    /// the heartbeats. False when another session holds the lock or the daemon is not registered.
    /// Tried once.
    package func holdLock(daemonID: Int64) async throws -> Bool {
        try await session.run { try LivenessStatements.holdLock($0, daemonID: daemonID) }
    }

    /// Keeps the daemon alive for another 15 s and says whether it could take more work. Tried
    /// once: the caller beats again anyway.
    package func heartbeat(daemonID: Int64, idle: Bool) async throws -> HeartbeatReply {
        try await session.run {
            try LivenessStatements.heartbeat($0, daemonID: daemonID, idle: idle)
        }
    }

    /// Returns the shards of dead daemons to the queue and says how many. Tried once.
    package func rescue() async throws -> Int {
        try await session.run { try LivenessStatements.rescue($0) }
    }

    /// Takes leave: what the daemon still holds is released. Tried once; without it the lease ends
    /// by itself.
    package func stopDaemon(daemonID: Int64) async throws {
        try await session.run { try LivenessStatements.stop($0, daemonID: daemonID) }
    }

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
