import Postgres
import TestSupport
import Testing

@Suite("Connection")
struct ConnectionTests {
    private static let database = Result { try TemporaryDatabase.empty() }
    private let database: TemporaryDatabase
    private let connection: Connection

    init() throws {
        database = try Self.database.get()
        connection = try database.connect()
    }

    private func failure(_ body: () throws -> Void) -> PostgresError? {
        #expect(throws: PostgresError.self, performing: body)
    }

    @Test("settings that hold on every connection")
    func settings() throws {
        func setting(_ name: String) throws -> String {
            try connection.execute("SELECT current_setting(\(name)) AS v").only().text("v")
        }
        #expect(try setting("statement_timeout") == "30s")
        #expect(try setting("lock_timeout") == "2s")
        #expect(try setting("idle_in_transaction_session_timeout") == "10s")
        #expect(try setting("application_name") == "tests")
        #expect(try setting("client_encoding") == "UTF8")
        #expect(try setting("DateStyle").hasPrefix("ISO"))
        #expect(connection.serverVersion >= 150_000)
        #expect(connection.address.database == database.name)
    }

    @Test(
        "an error of the server has code, name, message, detail, hint and statement",
        arguments: [
            ("SELECT 1 +", "42601 (syntax_error)"),
            ("SELECT no_such()", "42883 (undefined_function)"),
            ("SELECT * FROM missing", "42P01 (undefined_table)"),
            ("SELECT 1/0", "22012 (division_by_zero)"),
            ("SELECT 'x'::int", "22P02 (invalid_text_representation)"),
            ("SELECT nowhere.f()", "3F000 (invalid_schema_name)"),
            (
                "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '55000'; END $$",
                "55000 (object_not_in_prerequisite_state)"
            ),
            (
                "DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'P0002'; END $$",
                "P0002 (no_data_found)"
            ),
        ]
    )
    func states(_ sql: String, _ state: String) throws {
        let error = failure { try connection.execute(Query(script: sql)) }
        #expect(error?.kind == .statementFailed)
        #expect(error?.sqlState?.description == state)
        #expect(error?.description.hasPrefix("PostgreSQL error \(state): ") == true)
        #expect(error?.description.hasSuffix(" - while executing \(sql)") == true)
        #expect(error?.isConnectionLost == false)
        try connection.ping()
    }

    @Test("detail and hint are kept, bind values are not shown")
    func detailAndHint() throws {
        let secret = "s3cret-value"
        let error = failure {
            try connection.execute("SELECT \(secret)::text, 1/\(0)::int")
        }
        #expect(error?.description.contains(secret) == false)
        #expect(error?.statement == "SELECT $1::text, 1/$2::int")
        let raised = failure {
            try connection.executeScript(
                "DO $$ BEGIN RAISE 'm' USING DETAIL = 'd', HINT = 'h', ERRCODE = '22023'; END $$"
            )
        }
        #expect(raised?.message == "m" && raised?.detail == "d" && raised?.hint == "h")
        #expect(raised?.sqlState == .invalidParameterValue)
        #expect(raised?.description.contains("m. Detail: d. Hint: h - while executing DO") == true)
    }

    @Test("a transaction commits, or rolls back and rethrows")
    func transactions() throws {
        struct Refusal: Error {}
        try connection.executeScript("CREATE TABLE kept (n int)")
        try connection.transaction { try $0.execute("INSERT INTO kept VALUES (1)") }
        #expect(throws: Refusal.self) {
            try connection.transaction { connection in
                try connection.execute("INSERT INTO kept VALUES (2)")
                throw Refusal()
            }
        }
        let swallowed = failure {
            try connection.transaction { connection in
                _ = try? connection.execute("SELECT 1/0")
            }
        }
        #expect(swallowed?.message == "transaction: expected COMMIT, got ROLLBACK")
        #expect(connection.isIdle)
        let rows = try connection.execute("SELECT n FROM kept")
        #expect(try rows.map { try $0.int("n") } == [1])
    }

    @Test("COPY is refused with a sentence and the connection counts as lost")
    func copy() throws {
        let error = failure { try connection.execute("COPY (SELECT 1) TO STDOUT") }
        #expect(error?.description.contains("COPY: expected a statement that returns rows") == true)
        #expect(!connection.isAlive)
    }

    @Test("a statement over its time limit ends with a retryable error")
    func statementTimeout() throws {
        var options = ConnectionOptions()
        options.statementTimeout = .milliseconds(20)
        let quick = try database.connect(options: options)
        let error = failure { try quick.execute("SELECT pg_sleep(10)") }
        #expect(error?.sqlState == .queryCanceled)
        #expect(error.map(RetryPolicy.isRetryable) == true)
        #expect(quick.isAlive)
    }

    @Test("a lock that is not free in time ends with a retryable error")
    func lockTimeout() throws {
        var options = ConnectionOptions()
        options.lockTimeout = .milliseconds(20)
        let waiter = try database.connect(options: options)
        try connection.execute("SELECT pg_advisory_lock(42)")
        let error = failure { try waiter.execute("SELECT pg_advisory_lock(42)") }
        #expect(error?.sqlState == .lockNotAvailable)
        #expect(error.map(RetryPolicy.isRetryable) == true)
    }

    @Test("a connection that the server ends is lost")
    func terminated() throws {
        let victim = try database.connect()
        #expect(victim.isStillAlive())
        try connection.execute("SELECT pg_terminate_backend(\(victim.backendPID), 5000)")
        let error = failure { try victim.execute("SELECT \("x")::text") }
        #expect(error?.kind == .connectionLost)
        #expect(error?.message.isEmpty == false)
        #expect(!victim.isAlive)
        #expect(failure { try victim.ping() }?.isConnectionLost == true)
        #expect(throws: PostgresError.self) {
            try victim.waitForNotification(timeout: .seconds(10))
        }
    }

    @Test("a connection that the server ends during a statement is lost, with the server's code")
    func terminatedInside() throws {
        let error = failure {
            try connection.execute("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5)")
        }
        #expect(error?.kind == .connectionLost)
        #expect(error?.sqlState == .adminShutdown)
    }

    @Test("an idle connection that the server ended is noticed without a round trip")
    func endedWhileIdle() throws {
        let victim = try database.connect()
        try connection.execute("SELECT pg_terminate_backend(\(victim.backendPID), 5000)")
        #expect(!victim.isStillAlive())
    }

    @Test("loss during a transaction is a loss; loss during COMMIT is unknown")
    func commitUnknown() throws {
        let first = try database.connect()
        let pid = first.backendPID
        let lost = failure {
            try first.transaction { first in
                try connection.execute("SELECT pg_terminate_backend(\(pid), 5000)")
                try first.execute("SELECT 1")
            }
        }
        #expect(lost?.kind == .connectionLost)

        let second = try database.connect()
        let unknown = failure {
            try second.transaction { second in
                try second.execute("SELECT 1")
                try connection.execute("SELECT pg_terminate_backend(\(second.backendPID), 5000)")
            }
        }
        #expect(unknown?.kind == .commitUnknown)
        #expect(
            unknown?.description.hasPrefix("connection to PostgreSQL lost while committing: ")
                == true
        )
    }

    @Test("a standby, or a server that turned into one, is refused")
    func readOnly() throws {
        try connection.executeScript("SET default_transaction_read_only = on")
        let error = failure { try connection.execute("CREATE TABLE x (n int)") }
        #expect(error?.sqlState == .readOnlyTransaction)
        #expect(error?.isConnectionLost == true)
        #expect(!connection.isAlive)
    }
}
