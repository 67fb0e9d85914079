import FailPoints
import Jobs
import Logging
import Postgres
import Synchronization
import Threading

/// Keeps this daemon alive in the database, and returns the shards of the dead, on a thread and a
/// connection of its own: neither a long computation nor a stuck query elsewhere delays a heartbeat.
///
/// It registers the daemon, holds its advisory lock, beats every 3 s (the lease is 15 s) and sweeps
/// every second, so that a daemon killed outright is noticed within five seconds.
final class Heartbeat: Sendable {
    /// What the rest of the daemon has to know, said on the heartbeat's thread.
    enum Event: Sendable, Equatable {
        /// A number was given; jobs can be claimed under it.
        case registered(Int64)
        /// The number is no longer known: every lease went to others.
        case leasesLost
        /// An operator asked this daemon to drain.
        case drainRequested
    }

    private static let beatPeriod: Duration = .seconds(3)
    private static let sweepPeriod: Duration = .seconds(1)
    /// After a lost connection, others may not have come back yet either: nobody is declared dead
    /// before they had the time to.
    private static let graceAfterReconnect: Duration = .seconds(4)

    /// How the connection behaves. An answer that does not come within the time for which a lease is trusted
    /// never helps any more: the connection is given up, and the next one may find the server. (The peer's
    /// kernel or a pooler may well acknowledge what is sent, so the time-outs of TCP do not show it.)
    private static var options: ConnectionOptions {
        var options = ConnectionOptions()
        options.statementTimeout = .seconds(10)
        options.answerTimeout = LeaseClock.trust
        return options
    }

    private struct State {
        var isStopped = false
        var thread: NamedThread?
    }

    private let url: String
    private let registration: DaemonRegistration
    private let lease: LeaseClock
    private let failPoints: FailPoints
    private let logger: Logger
    private let handler: @Sendable (Event) -> Void
    private let wake = WakeDescriptor()
    private let state = Mutex(State())

    init(
        url: String,
        registration: DaemonRegistration,
        lease: LeaseClock,
        failPoints: FailPoints = .none,
        logger: Logger,
        handler: @escaping @Sendable (Event) -> Void
    ) {
        self.url = url
        self.registration = registration
        self.lease = lease
        self.failPoints = failPoints
        self.logger = logger
        self.handler = handler
    }

    /// Starts the thread.
    func start() {
        let thread = NamedThread(name: "heartbeat") { self.beatUntilStopped() }
        state.withLock { $0.thread = thread }
    }

    /// Takes leave of the database if it can be reached, ends the thread and waits for it.
    func stop() {
        let thread = state.withLock { state in
            state.isStopped = true
            return state.thread
        }
        wake.wake()
        thread?.join()
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    // MARK: - The thread

    private func beatUntilStopped() {
        var wasConnected = false
        var failures = 0
        var generator = SystemRandomNumberGenerator()
        while !isStopped {
            do {
                let connection = try Connection(
                    url: url,
                    applicationName: "rewardd heartbeat",
                    options: Self.options,
                    logger: logger
                )
                failures = 0
                try serve(connection, sweepAfter: wasConnected ? Self.graceAfterReconnect : .zero)
                return
            } catch {
                if failures == 0 {
                    logger.warning("heartbeat interrupted", ["error": LogValue(error)])
                }
                failures += 1
                wasConnected = wasConnected || lease.daemonID != nil
                let policy = RetryPolicy(maximum: .seconds(1))
                pause(policy.delay(afterAttempt: failures, using: &generator))
            }
        }
    }

    /// Beats and sweeps over one connection until stopped. Throws when the connection is lost.
    private func serve(_ connection: Connection, sweepAfter: Duration) throws {
        let clock = ContinuousClock()
        let sweepFrom = clock.now + sweepAfter
        var nextBeat = clock.now
        var daemonID = lease.daemonID
        var lockedID: Int64?
        // The lock would stay with a connection of the pooler's, whoever uses it next.
        let isPooled = try connection.isPooled()
        if isPooled {
            logger.notice(
                "a pooler stands before the database: this daemon's death is noticed when its lease ends",
                ["lease.s": 15]
            )
        }
        while !isStopped {
            if clock.now >= nextBeat {
                do {
                    nextBeat = clock.now + Self.beatPeriod
                    daemonID = try beat(connection, daemonID)
                } catch let error as PostgresError where !error.isConnectionLost {
                    // A new connection would be refused as well, and the lock would be gone with this one.
                    logger.warning("heartbeat refused", ["error": LogValue(error)])
                    nextBeat = clock.now + Self.sweepPeriod
                }
            }
            // After a reconnect the server may take a moment to see that the old connection, which held
            // the lock, is gone: tried again at every sweep. Until then the lease alone protects.
            if let known = daemonID, lockedID != known, !isPooled,
                try LivenessStatements.holdLock(connection, daemonID: known)
            {
                lockedID = known
            }
            if clock.now >= sweepFrom { try sweep(connection) }
            pause(Self.sweepPeriod)
        }
        if let daemonID { try? LivenessStatements.stop(connection, daemonID: daemonID) }
    }

    /// Looks for dead daemons. What the server refuses (a lock not free, no room left) is tried again at the
    /// next sweep, and costs this daemon neither its connection nor its lock.
    private func sweep(_ connection: Connection) throws {
        failPoints.pass(.rescueBefore)
        do {
            let rescued = try LivenessStatements.rescue(connection)
            if rescued > 0 {
                logger.notice("rescued shards of a dead daemon", ["shards": LogValue(rescued)])
            }
        } catch let error as PostgresError where !error.isConnectionLost {
            logger.warning("dead daemons not looked for", ["error": LogValue(error)])
        }
        failPoints.pass(.rescueAfter)
    }

    /// One heartbeat; registers first when there is no number or it is not known any more.
    private func beat(_ connection: Connection, _ daemonID: Int64?) throws -> Int64 {
        let sentAt = ContinuousClock().now
        if let daemonID {
            failPoints.pass(.heartbeatBefore)
            let reply = try LivenessStatements.heartbeat(connection, daemonID: daemonID, idle: nil)
            failPoints.pass(.heartbeatAfter)
            switch reply {
            case .ok:
                lease.confirmed(daemonID: daemonID, sentAt: sentAt)
                return daemonID
            case .drain:
                lease.confirmed(daemonID: daemonID, sentAt: sentAt)
                handler(.drainRequested)
                return daemonID
            case .unknown:
                logger.warning(
                    "leases lost: the database declared this daemon dead",
                    ["daemon.id": LogValue(daemonID)]
                )
                lease.lost()
                handler(.leasesLost)
            }
        }
        let number = try LivenessStatements.register(connection, registration)
        failPoints.pass(.registerAfter)
        lease.confirmed(daemonID: number, sentAt: sentAt)
        logger.info("registered", ["daemon.id": LogValue(number)])
        handler(.registered(number))
        return number
    }

    private func pause(_ duration: Duration) {
        guard !isStopped else { return }
        _ = SocketPoll.wait(socket: -1, wakeDescriptor: wake.rawValue, timeout: duration)
    }
}
