package import Postgres

/// The liveness functions as blocking calls on one connection, for the heartbeat thread: a lease
/// must not depend on the cooperative pool having a free thread.
package enum LivenessStatements {
    /// Announces a daemon and returns its number.
    package static func register(
        _ connection: Connection,
        _ registration: DaemonRegistration
    ) throws -> Int64 {
        try connection.execute(
            """
            SELECT rewardd.register_daemon(host => \(registration.host),
                pid => \(registration.processID), version => \(registration.version),
                models => \(registration.models), queues => \(registration.queues)) AS daemon_id
            """
        ).only().int64("daemon_id")
    }

    /// Takes the daemon's advisory lock on this connection, whose end is then what tells the
    /// others. False when another session holds it or the daemon is not registered.
    package static func holdLock(_ connection: Connection, daemonID: Int64) throws -> Bool {
        try connection.execute("SELECT rewardd.hold_daemon_lock(daemon_id => \(daemonID)) AS held")
            .only().bool("held")
    }

    /// Keeps the daemon alive for another 15 s. `idle` nil leaves what the last claim recorded.
    package static func heartbeat(
        _ connection: Connection,
        daemonID: Int64,
        idle: Bool?
    ) throws -> HeartbeatReply {
        let row = try connection.execute(
            "SELECT rewardd.heartbeat(daemon_id => \(daemonID), idle => \(idle)) AS reply"
        ).only()
        return try reply(row.text("reply"), of: "heartbeat", expected: "ok, drain or unknown")
    }

    /// Returns the shards of dead daemons to the queue and says how many.
    package static func rescue(_ connection: Connection) throws -> Int {
        try connection.execute("SELECT rewardd.rescue() AS shards").only().int("shards")
    }

    /// Takes leave: what the daemon still holds is released.
    package static func stop(_ connection: Connection, daemonID: Int64) throws {
        _ = try connection.execute("SELECT rewardd.stop_daemon(daemon_id => \(daemonID))")
    }
}
