import Jobs
import Postgres
import TestSupport
import Testing

@Suite("Schema version")
struct SchemaVersionTests {
    @Test("a database made by this build is accepted")
    func current() throws {
        let database = try TemporaryDatabase.migrated()
        let version = try SchemaVersion.read(database.connect(), needed: 1)
        #expect(version.version > 0)
        try version.check(oldest: version.version, latest: version.version)
    }

    @Test("a database without the schema is refused with the remedy")
    func missing() throws {
        let database = try TemporaryDatabase.empty()
        let error = #expect(throws: JobsError.self) {
            try SchemaVersion.read(database.connect(), needed: 12)
        }
        #expect(
            error?.description
                == "database \"\(database.name)\": expected schema version 12, got no schema "
                + "rewardd. Run `rewardctl migrate`."
        )
    }

    @Test("a role outside the groups is refused with the remedy")
    func notPermitted() throws {
        let database = try TemporaryDatabase.migrated()
        let url = try database.makeLogin(memberOf: [])
        let connection = try Connection(url: url, applicationName: "tests")
        let error = #expect(throws: JobsError.self) {
            try SchemaVersion.read(connection, needed: 12)
        }
        #expect(error?.description.contains("GRANT rewardd_work TO") == true)
    }

    @Test("older and newer databases are refused with both versions and the remedy")
    func sentences() {
        let old = #expect(throws: JobsError.self) {
            try SchemaVersion(version: 9).check(oldest: 12, latest: 14)
        }
        #expect(
            old?.description
                == "the database is at schema version 9; this program needs at least version 12. "
                + "Run `rewardctl migrate`."
        )
        let new = #expect(throws: JobsError.self) {
            try SchemaVersion(version: 17).check(oldest: 12, latest: 14)
        }
        #expect(
            new?.description
                == "the database is at schema version 17; this program understands up to version "
                + "14. Upgrade rewardd before starting it here."
        )
        #expect(throws: Never.self) {
            try SchemaVersion(version: 14).check(oldest: 12, latest: 14)
        }
    }
}
