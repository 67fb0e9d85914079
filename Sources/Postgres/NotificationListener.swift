package import Logging
import Synchronization
import Threading

/// Listens for notifications on a thread and a connection of its own, and reconnects by itself.
///
/// PgBouncer's transaction mode does not carry LISTEN: behind a pooler nothing ever arrives, and the
/// handler is told `listening` once.
package final class NotificationListener: Sendable {
    /// What the handler is told.
    package enum Event: Sendable, Equatable {
        /// Listening (again). What was sent before may have been missed: look at the tables now.
        case listening
        case notification(Notification)
        /// Nothing will arrive until the next `listening`.
        case lost
    }

    private struct State {
        var channels: [String]
        var isStopped = false
    }

    private let url: String
    private let applicationName: String
    private let options: ConnectionOptions
    private let logger: Logger
    private let handler: @Sendable (Event) -> Void
    private let state: Mutex<State>
    private let wake = WakeDescriptor()
    private let thread = Mutex<NamedThread?>(nil)

    /// Prepares a listener; `start` begins. The handler runs on the listener's thread and must be
    /// quick.
    package init(
        url: String,
        applicationName: String,
        channels: [String],
        options: ConnectionOptions = ConnectionOptions(),
        logger: Logger,
        handler: @escaping @Sendable (Event) -> Void
    ) {
        self.url = url
        self.applicationName = applicationName
        self.options = options
        self.logger = logger
        self.handler = handler
        state = Mutex(State(channels: channels))
    }

    /// Starts the thread. The listener lives at least until `stop`.
    package func start() {
        thread.withLock { thread in
            guard thread == nil else { return }
            thread = NamedThread(name: "listen") { self.listenUntilStopped() }
        }
    }

    /// Adds a channel; it is listened to at once when connected.
    package func add(channel: String) {
        state.withLock { state in
            if !state.channels.contains(channel) { state.channels.append(channel) }
        }
        wake.wake()
    }

    /// Drops a channel from the next connection on.
    package func remove(channel: String) {
        state.withLock { $0.channels.removeAll { $0 == channel } }
    }

    /// Ends the thread and waits for it. Not to be called by the handler.
    package func stop() {
        state.withLock { $0.isStopped = true }
        wake.wake()
        thread.withLock { $0 }?.join()
    }

    // MARK: - The thread

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func listenUntilStopped() {
        let policy = RetryPolicy.untilCancelled
        var generator = SystemRandomNumberGenerator()
        var failures = 0
        var isLossKnown = false
        while !isStopped {
            do throws(PostgresError) {
                let connection = try Connection(
                    url: url,
                    applicationName: applicationName,
                    options: options,
                    logger: logger
                )
                if try connection.isPooled() {
                    logger.notice(
                        "no notifications through a database pooler: looking regularly instead",
                        ["database.address": LogValue(connection.address.description)]
                    )
                    return idle()
                }
                try listen(on: connection) {
                    failures = 0
                    isLossKnown = false
                }
            } catch {
                failures += 1
                if !isLossKnown {
                    logger.warning("database listener lost", ["error": LogValue(error)])
                    handler(.lost)
                }
                isLossKnown = true
                pause(for: policy.delay(afterAttempt: failures, using: &generator))
            }
        }
    }

    /// Listens until stopped or lost; calls `connected` once all channels are listened to.
    private func listen(
        on connection: Connection,
        connected: () -> Void
    ) throws(PostgresError) {
        var listened: Set<String> = []
        var isAnnounced = false
        while true {
            // Reset before looking, so that a wake-up after the look ends the wait below.
            wake.reset()
            if isStopped { return }
            let missing = state.withLock { $0.channels }.filter { !listened.contains($0) }
            for channel in missing {
                try connection.listen(channel)
                listened.insert(channel)
            }
            if !isAnnounced || !missing.isEmpty {
                if !isAnnounced {
                    connected()
                    logger.info(
                        "database listener connected",
                        ["database.address": LogValue(connection.address.description)]
                    )
                }
                isAnnounced = true
                handler(.listening)
            }
            let arrived = try connection.waitForNotification(
                timeout: .seconds(60),
                wakeDescriptor: wake.rawValue
            )
            for notification in arrived { handler(.notification(notification)) }
            // A minute without news: make sure that the server is still there.
            if arrived.isEmpty, !isStopped { try connection.ping() }
        }
    }

    /// Does nothing until stopped.
    private func idle() {
        handler(.listening)
        while !isStopped { pause(for: .seconds(3600)) }
    }

    /// Waits, unless woken to stop.
    private func pause(for delay: Duration) {
        let deadline = ContinuousClock.now + delay
        while !isStopped, ContinuousClock.now < deadline {
            let remaining = deadline - ContinuousClock.now
            _ = SocketPoll.wait(socket: -1, wakeDescriptor: wake.rawValue, timeout: remaining)
            wake.reset()
        }
    }
}
