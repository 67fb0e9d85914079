package import Postgres

extension JobQueue {
    /// Announces a daemon and returns its number, good for 15 s and then from heartbeat to heartbeat. Repeated: a
    /// registration whose answer was lost expires by itself.
    package func register(_ registration: DaemonRegistration) async throws -> Int64 {
        try await session.withRetry(retry) { connection in
            try connection.execute(
                """
                SELECT rewardd.register_daemon(host => \(registration.host),
                    pid => \(registration.processID), version => \(registration.version),
                    models => \(registration.models), queues => \(registration.queues)) AS daemon_id
                """
            ).only().int64("daemon_id")
        }
    }

    /// Takes the daemon's advisory lock on a connection, which must be the one that sends the heartbeats: its end is
    /// what tells the others. False when another session holds the lock or the daemon is not registered.
    package static func holdLock(_ connection: Connection, daemonID: Int64) throws -> Bool {
        try connection.execute("SELECT rewardd.hold_daemon_lock(daemon_id => \(daemonID)) AS held")
            .only().bool("held")
    }

    /// Takes the daemon's advisory lock on this queue's session. Tried once.
    package func holdLock(daemonID: Int64) async throws -> Bool {
        try await session.run { try JobQueue.holdLock($0, daemonID: daemonID) }
    }

    /// Keeps the daemon alive for another 15 s and says whether it could take more work. Tried once: the caller beats
    /// again anyway.
    package func heartbeat(daemonID: Int64, idle: Bool) async throws -> HeartbeatReply {
        try await session.run { connection in
            let row = try connection.execute(
                "SELECT rewardd.heartbeat(daemon_id => \(daemonID), idle => \(idle)) AS reply"
            ).only()
            return try reply(row.text("reply"), of: "heartbeat", expected: "ok, drain or unknown")
        }
    }

    /// Returns the shards of dead daemons to the queue and says how many. Tried once.
    package func rescue() async throws -> Int {
        try await session.run { connection in
            try connection.execute("SELECT rewardd.rescue() AS shards").only().int("shards")
        }
    }

    /// Takes leave: what the daemon still holds is released. Tried once; without it the lease ends by itself.
    package func stopDaemon(daemonID: Int64) async throws {
        try await session.run { connection in
            _ = try connection.execute("SELECT rewardd.stop_daemon(daemon_id => \(daemonID))")
        }
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
