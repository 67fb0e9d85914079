package import Logging
import Threading

/// A connection that opens itself: an actor on a thread of its own, so that blocking calls of libpq
/// never hold a thread of the cooperative pool. Calls run one after the other.
///
/// The connection opens with the first call. When it is lost, the call that met the loss throws and
/// the next one opens another. Loss and return are logged once each, not once per attempt.
package actor Session {
    /// What `run` hands to its body.
    package typealias Body<Value> = @Sendable (Connection) throws -> Value

    private enum State {
        /// Not opened yet, or closed on purpose. May become `open` or `lost`.
        case closed
        /// May become `closed` or `lost`.
        case open(Connection)
        /// The loss has been logged. May become `open` or `closed`.
        case lost
    }

    private nonisolated let executor: ThreadExecutor
    private let url: String
    private let applicationName: String
    private let options: ConnectionOptions
    private let logger: Logger
    private let onConnect: Body<Void>
    private var state = State.closed

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Starts the thread; connects later.
    ///
    /// - Parameters:
    ///   - name: The thread's name, 15 bytes kept, for example `pg-beat`.
    ///   - onConnect: Runs on every new connection before its first use; what it throws fails
    ///     the call.
    package init(
        url: String,
        applicationName: String,
        name: String,
        options: ConnectionOptions = ConnectionOptions(),
        logger: Logger,
        onConnect: @escaping Body<Void> = { _ in }
    ) {
        executor = ThreadExecutor(name: name)
        self.url = url
        self.applicationName = applicationName
        self.options = options
        self.logger = logger.with(["database.session": LogValue(name)])
        self.onConnect = onConnect
    }

    /// Runs `body` once with an open connection, on the session's thread. Not repeated: after a
    /// lost connection only the caller knows whether that is safe. What `body` returns must not
    /// hold the connection or a result.
    package func run<Value: Sendable>(_ body: Body<Value>) async throws -> Value {
        let connection = try openConnection()
        defer { settle(connection) }
        do {
            return try body(connection)
        } catch let error as PostgresError where error.isConnectionLost {
            noteLoss(error)
            throw error
        }
    }

    /// Runs `body`, which must be safe to repeat, until it succeeds, throws an error that time does
    /// not heal, or the policy's attempts are used up. Throws CancellationError when the task is
    /// cancelled between attempts.
    package func withRetry<Value: Sendable>(
        _ policy: RetryPolicy = .untilCancelled,
        _ body: Body<Value>
    ) async throws -> Value {
        var attempt = 1
        var generator = SystemRandomNumberGenerator()
        while true {
            try Task.checkCancellation()
            do {
                return try await run(body)
            } catch  where RetryPolicy.isRetryable(error) {
                if let attempts = policy.attempts, attempt >= attempts { throw error }
                let delay = policy.delay(afterAttempt: attempt, using: &generator)
                logger.debug(
                    "database call repeated",
                    [
                        "attempt": LogValue(attempt), "wait.s": LogValue(delay / .seconds(1)),
                        "error": LogValue(error),
                    ]
                )
                try await Task.sleep(for: delay)
                attempt += 1
            }
        }
    }

    /// Closes the connection; the next call opens another.
    package func close() {
        state = .closed
    }

    // MARK: - Connection

    private func openConnection() throws -> Connection {
        if case .open(let connection) = state {
            if connection.isStillAlive() { return connection }
            noteLoss(PostgresError(.connectionLost, "the server ended it between two calls"))
        }
        do {
            let connection = try Connection(
                url: url,
                applicationName: applicationName,
                options: options,
                logger: logger
            )
            try onConnect(connection)
            state = .open(connection)
            logger.info(
                "database connected",
                [
                    "database.address": LogValue(connection.address.description),
                    "database.version": LogValue(connection.serverVersion),
                ]
            )
            return connection
        } catch {
            noteLoss(error)
            throw error
        }
    }

    /// After a call: a connection left inside a transaction would carry it into the next call.
    private func settle(_ connection: Connection) {
        guard case .open = state, connection.isAlive, !connection.isIdle else { return }
        logger.warning("database connection dropped: a call left its transaction open")
        state = .closed
    }

    private func noteLoss(_ error: any Error) {
        if case .lost = state { return }
        state = .lost
        logger.warning("database connection lost", ["error": LogValue(error)])
    }
}
