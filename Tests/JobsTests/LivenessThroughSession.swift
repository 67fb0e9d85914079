import Jobs
import Postgres

/// The liveness statements over a queue's own session: a test has one connection where a daemon has two.
extension JobQueue {
    /// Announces a daemon and returns its number, good for 15 s and then from heartbeat to
    /// heartbeat.
    func register(_ registration: DaemonRegistration) async throws -> Int64 {
        try await session.run { try LivenessStatements.register($0, registration) }
    }

    /// Takes the daemon's advisory lock on this queue's session, which must be the one that sends
    /// the heartbeats. False when another session holds the lock or the daemon is not registered.
    /// Tried once.
    func holdLock(daemonID: Int64) async throws -> Bool {
        try await session.run { try LivenessStatements.holdLock($0, daemonID: daemonID) }
    }

    /// Keeps the daemon alive for another 15 s and says whether it could take more work. Tried
    /// once: the caller beats again anyway.
    func heartbeat(daemonID: Int64, idle: Bool) async throws -> HeartbeatReply {
        try await session.run {
            try LivenessStatements.heartbeat($0, daemonID: daemonID, idle: idle)
        }
    }

    /// Returns the shards of dead daemons to the queue and says how many. Tried once.
    func rescue() async throws -> Int {
        try await session.run { try LivenessStatements.rescue($0) }
    }

    /// Takes leave: what the daemon still holds is released. Tried once; without it the lease ends
    /// by itself.
    func stopDaemon(daemonID: Int64) async throws {
        try await session.run { try LivenessStatements.stop($0, daemonID: daemonID) }
    }
}
