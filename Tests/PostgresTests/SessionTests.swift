import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite("Session")
struct SessionTests {
    private static let database = Result { try TemporaryDatabase.empty() }
    private let database: TemporaryDatabase
    private let log = LogCapture()

    init() throws {
        database = try Self.database.get()
    }

    private func makeSession(url: String? = nil) -> Session {
        Session(
            url: url ?? database.url,
            applicationName: "tests",
            name: "pg-test",
            logger: log.logger
        )
    }

    private func backend(of session: Session) async throws -> Int32 {
        try await session.run { $0.backendPID }
    }

    @Test("keeps one connection over many calls")
    func oneConnection() async throws {
        let session = makeSession()
        let pids = try await withThrowingTaskGroup(of: Int32.self) { group in
            for _ in 0..<50 { group.addTask { try await backend(of: session) } }
            return try await group.reduce(into: Set<Int32>()) { $0.insert($1) }
        }
        #expect(pids.count == 1)
        #expect(log.messages == ["database connected"])
    }

    @Test("a connection killed in the middle of a call: that call throws, the next one reconnects")
    func killedInside() async throws {
        let session = makeSession()
        let first = try await backend(of: session)
        let error = await #expect(throws: PostgresError.self) {
            try await session.run { connection in
                _ = try connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            }
        }
        #expect(error?.isConnectionLost == true)
        #expect(try await backend(of: session) != first)
        #expect(
            log.messages == [
                "database connected", "database connection lost", "database connected",
            ]
        )
    }

    @Test("a connection killed between two calls costs the next call nothing")
    func killedBetween() async throws {
        let session = makeSession()
        let first = try await backend(of: session)
        try database.connect().execute("SELECT pg_terminate_backend(\(first), 5000)")
        #expect(try await backend(of: session) != first)
        #expect(
            log.messages == [
                "database connected", "database connection lost", "database connected",
            ]
        )
    }

    @Test("a statement sent after the server crashed is a lost connection, not a refusal")
    func crashedMeanwhile() throws {
        let cluster = try TestCluster.separate()
        defer { cluster.stop() }
        for statement: Query in ["BEGIN", "SELECT 1", "SELECT \(1)::int"] {
            let connection = try Connection(url: cluster.url, applicationName: "idle")
            try cluster.restart()
            let error = #expect(throws: PostgresError.self) {
                _ = try connection.execute(statement)
            }
            #expect(error?.kind == .connectionLost, "\(String(describing: error))")
            #expect(!connection.isAlive)
        }
    }

    @Test("calls that may be repeated survive a server that crashes and comes back")
    func restart() async throws {
        let cluster = try TestCluster.separate()
        defer { cluster.stop() }
        let session = makeSession(url: cluster.url)
        _ = try await session.run { try $0.executeScript("CREATE TABLE t (n int)").count }
        // Each insert is its own transaction; repeating one after a loss may store it twice, never
        // zero times.
        let inserts = Task {
            for number in 0..<400 {
                _ = try await session.withRetry(RetryPolicy(base: .milliseconds(10))) {
                    try $0.execute("INSERT INTO t VALUES (\(number))").count
                }
            }
        }
        try cluster.restart()
        try await inserts.value
        let stored = try await session.withRetry {
            try $0.execute("SELECT count(DISTINCT n) AS n FROM t").only().int("n")
        }
        #expect(stored == 400)
    }

    @Test("loss is logged once, not once per attempt, and cancelling ends the attempts")
    func cancellation() async throws {
        let session = makeSession(url: "postgresql://me@127.0.0.1:1/none")
        let calls = Task {
            try await session.withRetry(
                RetryPolicy(base: .milliseconds(1), maximum: .milliseconds(2))
            ) {
                try $0.ping()
            }
        }
        _ = try await log.line("database call repeated")
        while log.messages.count < 10 { await Task.yield() }
        calls.cancel()
        await #expect(throws: CancellationError.self) { try await calls.value }
        #expect(log.messages.filter { $0 == "database connection lost" }.count == 1)
        #expect(!log.messages.contains("database connected"))
    }

    @Test("attempts are counted, and an error that time does not heal is thrown at once")
    func attempts() async throws {
        let session = makeSession()
        let count = Mutex(0)
        func calls(_ sql: String) async -> (Int, PostgresError?) {
            count.withLock { $0 = 0 }
            let policy = RetryPolicy(base: .milliseconds(1), attempts: 3)
            let error = await #expect(throws: PostgresError.self) {
                try await session.withRetry(policy) { connection in
                    count.withLock { $0 += 1 }
                    try connection.executeScript(sql)
                    return ()
                }
            }
            return (count.withLock { $0 }, error)
        }
        let deadlock = "DO $$ BEGIN RAISE EXCEPTION 'd' USING ERRCODE = '40P01'; END $$"
        let (repeated, error) = await calls(deadlock)
        #expect(repeated == 3 && error?.sqlState == .deadlockDetected)
        #expect(await calls("SELECT 1/0").0 == 1)
    }

    @Test("a call that leaves its transaction open loses the connection, not its isolation")
    func openTransaction() async throws {
        let session = makeSession()
        let first = try await backend(of: session)
        _ = try await session.run { try $0.executeScript("BEGIN").count }
        #expect(try await backend(of: session) != first)
        #expect(
            log.messages.contains("database connection dropped: a call left its transaction open")
        )
    }

    @Test("every new connection is prepared before its first use; a failure fails the call")
    func onConnect() async throws {
        struct NotReady: Error {}
        let refusals = Mutex(1)
        let session = Session(
            url: database.url,
            applicationName: "tests",
            name: "pg-test",
            logger: log.logger
        ) { connection in
            let refuse = refusals.withLock { left in
                left -= 1
                return left >= 0
            }
            if refuse { throw NotReady() }
            try connection.executeScript("SET application_name = 'prepared'")
        }
        await #expect(throws: NotReady.self) { try await session.run { try $0.ping() } }
        let name = try await session.run {
            try $0.execute("SELECT current_setting('application_name') AS v").only().text("v")
        }
        #expect(name == "prepared")
        await session.close()
        _ = try await backend(of: session)
    }
}

@Suite("Retry policy")
struct RetryPolicyTests {
    @Test("the bound doubles from the base to the maximum, and waits stay below it")
    func bounds() {
        let policy = RetryPolicy()
        let bounds = (1...8).map { policy.bound(afterAttempt: $0) / .milliseconds(1) }
        #expect(bounds == [100, 200, 400, 800, 1600, 3200, 5000, 5000])
        #expect(policy.bound(afterAttempt: .max) == .seconds(5))
        #expect(policy.bound(afterAttempt: 0) == .milliseconds(100))
        var generator = SystemRandomNumberGenerator()
        for attempt in 1...100 {
            let delay = policy.delay(afterAttempt: attempt, using: &generator)
            #expect(delay >= .zero && delay <= policy.bound(afterAttempt: attempt))
        }
    }

    @Test(
        "errors that pass by themselves are told by their code",
        arguments: [
            ("40001", true), ("40P01", true), ("55P03", true), ("57P01", true), ("57014", true),
            ("08006", true), ("53300", true), ("22023", false), ("55000", false), ("42501", false),
            ("42883", false), ("P0002", false), ("XX000", false),
        ]
    )
    func retryable(_ state: String, _ expected: Bool) {
        let error = PostgresError(.statementFailed, "m", sqlState: SQLState(rawValue: state))
        #expect(RetryPolicy.isRetryable(error) == expected)
        #expect(!RetryPolicy.isRetryable(CancellationError()))
    }
}
