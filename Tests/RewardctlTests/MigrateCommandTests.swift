import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

@Suite("rewardctl migrate")
struct MigrateCommandTests {
    @Test("applies everything, then nothing")
    func twice() throws {
        let database = try TemporaryDatabase.empty()
        let rehearsal = try RewardctlProcess.run(["migrate", "--dry-run"], url: database.url)
        #expect(rehearsal.status == 0)
        #expect(rehearsal.lines.first == "would apply 0001 create_schema")
        let refused = try RewardctlProcess.run(["get", "queues"], url: database.url)
        #expect(refused.status == 4)
        #expect(refused.messages.contains("Run 'rewardctl migrate'."))
        let first = try RewardctlProcess.run(["migrate"], url: database.url)
        #expect(first.status == 0, "\(first.messages)")
        #expect(first.lines.count == MigrationCatalog.latest)
        #expect(first.lines.first == "applied 0001 create_schema")
        #expect(first.messages == "The schema is at version \(MigrationCatalog.latest).\n")
        let second = try RewardctlProcess.run(["migrate"], url: database.url)
        #expect(second.status == 0)
        #expect(second.output.isEmpty)
        #expect(second.messages.contains("up to date at version \(MigrationCatalog.latest)"))
        #expect(try RewardctlProcess.run(["get", "queues"], url: database.url).status == 0)
    }

    @Test("several at once all succeed and apply each step once")
    func concurrently() throws {
        let database = try TemporaryDatabase.empty()
        let processes = try (0..<4).map { _ in
            try RewardctlProcess.start(["migrate"], url: database.url)
        }
        for process in processes {
            let outcome = try process.wait()
            #expect(outcome.status == 0, "\(outcome.messages)")
        }
        let count = try database.connect().execute(
            "SELECT count(*) AS n FROM rewardd.schema_version"
        ).only().int("n")
        #expect(count == MigrationCatalog.latest)
    }

    @Test("prints SQL that another tool can apply")
    func showSQL() throws {
        let database = try TemporaryDatabase.empty()
        let outcome = try RewardctlProcess.run(["migrate", "--show-sql"], url: database.url)
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("CREATE SCHEMA rewardd"))
        // As psql sends them: one after the other, each by itself.
        let end = "$rewardd_migration$;"
        let connection = try database.connect(options: .patient)
        for statement in outcome.output.components(separatedBy: end).dropLast() {
            try connection.executeScript(statement + end)
        }
        let again = try RewardctlProcess.run(["migrate"], url: database.url)
        #expect(again.messages.contains("up to date"), "\(again.messages)")
    }

    @Test("refuses a schema that is newer than it knows")
    func newer() throws {
        let database = try TemporaryDatabase.migrated()
        let version = MigrationCatalog.latest + 1
        try database.connect().execute(
            """
            INSERT INTO rewardd.schema_version (version, name, breaking)
            VALUES (\(version), 'from_the_future', false)
            """
        )
        let outcome = try RewardctlProcess.run(["migrate"], url: database.url)
        #expect(outcome.status == 4)
        #expect(
            outcome.messages.hasPrefix(
                "Error: the database is at schema version \(version); this rewardctl understands up to \(MigrationCatalog.latest)."
            )
        )
    }
}
