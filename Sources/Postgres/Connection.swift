import CLibPQ
package import Logging

/// One connection to PostgreSQL through libpq. Every call blocks; a connection is used from one
/// thread, the one of its `Session`, and is not Sendable.
///
/// Statements go through PQsendQueryParams without names and leave nothing in the session, so
/// PgBouncer's transaction mode works. Once lost, a connection stays lost: open another.
package final class Connection {
    /// Where the connection goes, fit for logs.
    package let address: ServerAddress

    private let handle: OpaquePointer
    private let requiresReadWrite: Bool
    private let answerTimeout: Duration
    private var isInTransaction = false
    private var wasLost = false

    /// Opens the connection. `applicationName` is what `pg_stat_activity` shows.
    package init(
        url: String,
        applicationName: String,
        options: ConnectionOptions = ConnectionOptions(),
        logger: Logger? = nil
    ) throws(PostgresError) {
        try ServerAddress.check(url)
        let parameters = Connection.parameters(
            url: url,
            applicationName: applicationName,
            options: options
        )
        do throws(PostgresError) {
            handle = try Connection.open(parameters)
        } catch {
            // PgBouncer refuses start-up parameters it does not track unless told to ignore them.
            // The server's own timeouts then hold.
            guard error.message.contains("unsupported startup parameter") else { throw error }
            logger?.warning("database pooler takes no start-up options", ["error": LogValue(error)])
            handle = try Connection.open(parameters.filter { $0.key != "options" })
        }
        address = ServerAddress(of: handle)
        requiresReadWrite = options.requiresReadWrite
        answerTimeout = options.answerTimeout
        // Sending must not block for ever where a network is silent: `nextResult` waits, with a limit.
        PQsetnonblocking(handle, 1)
        // Notices ("relation exists, skipping") would go to standard error past the logger.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
    }

    deinit {
        PQfinish(handle)
    }

    /// Runs one statement with its bind values and returns its rows.
    @discardableResult
    package func execute(_ query: Query) throws(PostgresError) -> ResultSet {
        let arguments = try StatementArguments(query)
        let wasSent = arguments.withPointers { sql, types, values, lengths, formats in
            PQsendQueryParams(
                handle,
                sql,
                Int32(query.parameters.count),
                types,
                values,
                lengths,
                formats,
                0
            )
        }
        return try answer(wasSent: wasSent, statement: query.sql)
    }

    /// Runs several statements separated by semicolons, in one transaction unless they say
    /// otherwise. Returns the last result.
    @discardableResult
    package func executeScript(_ sql: String) throws(PostgresError) -> ResultSet {
        guard !sql.utf8.contains(0) else {
            throw PostgresError(.invalidInput, "script: expected text without NUL bytes, got one")
        }
        return try answer(wasSent: PQsendQuery(handle, sql), statement: sql)
    }

    /// Runs `body` between BEGIN and COMMIT; rolls back and rethrows when it throws. Loss of the
    /// connection during COMMIT is `PostgresError.Kind.commitUnknown`.
    @discardableResult
    package func transaction<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        precondition(!isInTransaction, "a transaction inside a transaction")
        try execute("BEGIN")
        isInTransaction = true
        defer { isInTransaction = false }
        let value: Value
        do {
            value = try body(self)
        } catch {
            // The error of `body` is the one to report; a connection that cannot roll back is lost.
            _ = try? execute("ROLLBACK")
            throw error
        }
        try commit()
        return value
    }

    /// True until an error showed that the connection is gone.
    package var isAlive: Bool { !wasLost && PQstatus(handle) == CONNECTION_OK }

    /// Looks, without a round trip, whether the server has ended the connection since the last
    /// call.
    package func isStillAlive() -> Bool {
        // The farewell and the end of the stream may arrive apart; more is not sent to an idle
        // connection.
        for _ in 0..<4 {
            guard isAlive else { return false }
            let outcome = SocketPoll.wait(
                socket: PQsocket(handle),
                wakeDescriptor: nil,
                timeout: .zero
            )
            guard outcome == .socketReadable else { return true }
            if PQconsumeInput(handle) == 0 { wasLost = true }
        }
        return isAlive
    }

    /// True when no transaction is open.
    package var isIdle: Bool { PQtransactionStatus(handle) == PQTRANS_IDLE }

    /// One round trip to the server.
    package func ping() throws(PostgresError) {
        try execute("SELECT 1")
    }

    /// The server's version, for example 150018 for 15.18; 0 when not connected.
    package var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// The server process, for `pg_terminate_backend`.
    package var backendPID: Int32 { PQbackendPID(handle) }

    /// Receive notifications of a channel from now on.
    package func listen(_ channel: String) throws(PostgresError) {
        try execute("LISTEN \(identifier: channel)")
    }

    /// Notifications that have arrived: at least one, or none when `timeout` has passed or
    /// `wakeDescriptor` has become readable (its reader resets it). Order and duplicates are the
    /// server's.
    ///
    /// Those that came in together with an earlier statement's answer already sit in libpq's queue
    /// while the socket is quiet, so the queue is emptied before each poll: without that a wake-up
    /// could wait out the timeout.
    package func waitForNotification(
        timeout: Duration,
        wakeDescriptor: Int32? = nil
    ) throws(PostgresError) -> [Notification] {
        let deadline = ContinuousClock.now + timeout
        while true {
            guard PQconsumeInput(handle) == 1 else {
                throw lost(statement: nil)
            }
            let arrived = takeNotifications()
            if !arrived.isEmpty { return arrived }
            let remaining = deadline - ContinuousClock.now
            guard remaining > .zero else { return [] }
            switch SocketPoll.wait(
                socket: PQsocket(handle),
                wakeDescriptor: wakeDescriptor,
                timeout: remaining
            )
            {
            case .socketReadable: continue
            case .woken, .timedOut: return []
            }
        }
    }

    // MARK: - Results

    private func commit() throws(PostgresError) {
        let result: ResultSet
        do throws(PostgresError) {
            result = try execute("COMMIT")
        } catch {
            guard error.isConnectionLost else { throw error }
            throw PostgresError(
                .commitUnknown,
                error.message,
                sqlState: error.sqlState,
                detail: error.detail,
                hint: error.hint,
                statement: error.statement
            )
        }
        // An aborted transaction answers COMMIT with ROLLBACK and no error.
        guard result.commandTag == "COMMIT" else {
            throw PostgresError(
                .statementFailed,
                "transaction: expected COMMIT, got \(result.commandTag)",
                sqlState: SQLState(rawValue: "25P02"),
                statement: "COMMIT"
            )
        }
    }

    /// Waits for the answer: the first error, or else the last result. (PQexec would return the
    /// last error, which after a farewell of the server is "closed unexpectedly" without the code
    /// that says why.)
    private func answer(
        wasSent: Int32,
        statement: String
    ) throws(PostgresError) -> ResultSet {
        guard wasSent == 1 else { throw lost(statement: statement) }
        var last: ResultSet?
        var first: PostgresError?
        while let result = try nextResult(statement: statement) {
            let set = ResultSet(owning: result)
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                last = set
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // The protocol is now in a state that no other call of this type leaves.
                wasLost = true
                throw PostgresError(
                    .invalidInput,
                    "COPY: expected a statement that returns rows",
                    statement: statement
                )
            default:
                first = first ?? failure(of: result, statement: statement)
            }
        }
        if let first { throw first }
        guard let last else { throw lost(statement: statement) }
        return last
    }

    /// The next result of the statement, nil after the last. Throws when the server is silent for too long:
    /// whether the statement has taken effect is then unknown, as after any loss of a connection.
    private func nextResult(statement: String) throws(PostgresError) -> OpaquePointer? {
        guard answerTimeout > .zero else { return PQgetResult(handle) }
        while PQflush(handle) == 1 {
            guard SocketPoll.waitForRoom(socket: PQsocket(handle), timeout: answerTimeout) else {
                throw silent(statement: statement)
            }
            if PQconsumeInput(handle) == 0 { break }
        }
        while PQisBusy(handle) == 1 {
            let outcome = SocketPoll.wait(
                socket: PQsocket(handle),
                wakeDescriptor: nil,
                timeout: answerTimeout
            )
            guard outcome == .socketReadable else { throw silent(statement: statement) }
            if PQconsumeInput(handle) == 0 { break }
        }
        return PQgetResult(handle)
    }

    private func silent(statement: String) -> PostgresError {
        wasLost = true
        return PostgresError(
            .connectionLost,
            "no answer within \(answerTimeout)",
            statement: statement
        )
    }

    private func failure(of result: OpaquePointer, statement: String) -> PostgresError {
        func field(_ code: Int) -> String? {
            PQresultErrorField(result, Int32(code)).map { String(cString: $0) }
        }
        let state = field(Int(REWARDD_DIAG_SQLSTATE)).map { SQLState(rawValue: $0) }
        let isStandby = requiresReadWrite && state == .readOnlyTransaction
        // A server's refusal has a code. Without one the sentence is libpq's own: the connection broke
        // under the statement, also where libpq has not yet read its end and still calls it good.
        let isLost =
            PQstatus(handle) != CONNECTION_OK || state?.endsConnection != false || isStandby
        if isLost { wasLost = true }
        let message =
            field(Int(REWARDD_DIAG_MESSAGE))
            ?? PQresultErrorMessage(result).map { String(cString: $0) } ?? "no message"
        return PostgresError(
            isLost ? .connectionLost : .statementFailed,
            PostgresError.oneLine(message),
            sqlState: state,
            detail: field(Int(REWARDD_DIAG_DETAIL)),
            hint: field(Int(REWARDD_DIAG_HINT)),
            statement: statement
        )
    }

    private func lost(statement: String?) -> PostgresError {
        wasLost = true
        return PostgresError(
            .connectionLost,
            Connection.message(of: handle),
            statement: statement
        )
    }

    private func takeNotifications() -> [Notification] {
        var notifications: [Notification] = []
        while let pointer = PQnotifies(handle) {
            defer { PQfreemem(pointer) }
            notifications.append(
                Notification(
                    channel: String(cString: pointer.pointee.relname),
                    payload: String(cString: pointer.pointee.extra)
                )
            )
        }
        return notifications
    }
}
