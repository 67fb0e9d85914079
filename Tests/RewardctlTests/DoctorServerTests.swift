import JSONReading
import Postgres
import TestSupport
import Testing

@testable import rewardctl

@Suite("rewardctl doctor, on the server")
struct DoctorServerTests {
    private let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    @Test("an open transaction is told with its process, its program, and how to end it")
    func openTransaction() throws {
        let holder = try Connection(
            url: database.url,
            applicationName: "nightly report",
            options: .patient
        )
        try holder.executeScript("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        #expect(try DoctorRun(database.url).items == [])
        let found = try DoctorRun(database.url, ["--transaction-age", "1ms"])
        #expect(found.status == 1)
        #expect(
            found.subjects == [
                "problem transactions: session \(holder.backendPID) of nightly report, "
                    + "user postgres"
            ]
        )
        #expect(found.texts("found")[0].hasPrefix("idle in transaction, for "))
        #expect(found.texts("statement") == ["SELECT pg_terminate_backend(\(holder.backendPID))"])
        try database.connect().executeScript(found.texts("statement")[0])
        #expect(throws: PostgresError.self) { try holder.ping() }
        #expect(try DoctorRun(database.url, ["--transaction-age", "1ms"]).items == [])
    }

    @Test("transactions of other roles are not checked without the right to see them")
    func unseenTransaction() throws {
        let holder = try database.connect(options: .patient)
        try holder.executeScript("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        let reader = try database.makeLogin(memberOf: ["rewardd_read"])
        let found = try DoctorRun(reader, ["--transaction-age", "1ms"])
        #expect(found.status == 0)
        #expect(found.subjects == ["not_checked transactions: sessions of other roles"])
        let monitor = try database.makeLogin(memberOf: ["rewardd_read", "pg_read_all_stats"])
        #expect(try DoctorRun(monitor, ["--transaction-age", "1ms"]).status == 1)
        try holder.execute("ROLLBACK")
    }

    @Test("a table that autovacuum leaves out is a problem, with the way back")
    func tableWithoutAutovacuum() throws {
        let connection = try database.connect(options: .patient)
        try connection.execute("ALTER TABLE rewardd.shard SET (autovacuum_enabled = false)")
        let found = try DoctorRun(database.url)
        #expect(found.subjects == ["problem vacuum: table shard"])
        try connection.executeScript(found.texts("statement")[0])
        #expect(try DoctorRun(database.url).items == [])
    }

    @Test("a notification that does not arrive is told; databases do not share them")
    func lostNotification() throws {
        let other = try TemporaryDatabase.empty()
        let examination = Examination(
            api: try SQLAPI(url: database.url),
            connectAgain: { try SQLAPI(url: other.url) },
            notificationPatience: .milliseconds(300)
        )
        let findings = try examination.notificationFindings()
        #expect(findings.map(\.severity) == [.warning])
        #expect(findings.map(\.found) == ["none"])
        #expect(findings.map(\.expected) == ["a notification on a second connection within 300ms"])
    }

    @Test("a second connection that is refused is told as such")
    func refusedConnection() throws {
        let examination = Examination(
            api: try SQLAPI(url: database.url),
            connectAgain: { throw PostgresError(.cannotConnect, "too many clients") }
        )
        let findings = try examination.notificationFindings()
        #expect(findings.map(\.found) == ["no second connection: too many clients"])
    }

    @Test("clocks may differ by a second and what the reading took")
    func clock() {
        func reading(_ server: Double, took: Double = 0) -> [Finding] {
            ClockReading(before: 1000, server: server, after: 1000 + took).findings
        }
        #expect(reading(1000.9).isEmpty)
        #expect(reading(999.1).isEmpty)
        #expect(reading(1002.4, took: 3).isEmpty)
        #expect(reading(1064).map(\.found) == ["1m 4s ahead of it"])
        #expect(reading(936).map(\.found) == ["1m 4s behind it"])
        #expect(reading(1064).map(\.severity) == [.warning])
    }

    @Test("a server of its own: vacuum off, dead rows, prepared transactions, slots")
    func ownServer() throws {
        let cluster = try TestCluster.separate()
        defer { cluster.stop() }
        #expect(try RewardctlProcess.run(["migrate"], url: cluster.url).status == 0)
        let settings = [
            "autovacuum = off", "max_prepared_transactions = 4", "wal_level = logical",
        ]
        for setting in settings {
            try connect(cluster).executeScript("ALTER SYSTEM SET \(setting)")
        }
        try cluster.restart()
        let connection = try connect(cluster)
        for statement in [
            // Before the prepared transaction, whose end it would wait for.
            "SELECT pg_create_logical_replication_slot('forgotten', 'pgoutput')",
            "INSERT INTO rewardd.event (type) SELECT 'x' FROM generate_series(1, 12000)",
            "DELETE FROM rewardd.event",
            "BEGIN; SELECT txid_current(); PREPARE TRANSACTION 'it''s mine'",
            // Counts reach the shared statistics when the session has a moment.
            "SELECT pg_stat_force_next_flush()",
        ] {
            try connection.executeScript(statement)
        }
        let found = try DoctorRun(cluster.url, ["--transaction-age", "0"])
        #expect(found.status == 1)
        #expect(
            found.subjects == [
                "problem transactions: prepared transaction 'it's mine', user postgres",
                "problem vacuum: setting autovacuum",
                "warning transactions: replication slot 'forgotten'",
                "warning vacuum: table event",
            ]
        )
        #expect(
            found.texts("found").last
                == "12,000 dead rows beside 0 live ones; last vacuumed never"
        )
        for statement in found.texts("statement").reversed() {
            try connection.executeScript(statement)
        }
        try connection.execute("SELECT pg_reload_conf()")
        try connection.executeScript("SELECT pg_stat_force_next_flush()")
        #expect(try DoctorRun(cluster.url, ["--transaction-age", "0"]).subjects == [])
    }

    private func connect(_ cluster: TestCluster) throws -> Connection {
        try Connection(url: cluster.url, applicationName: "tests", options: .patient)
    }
}
