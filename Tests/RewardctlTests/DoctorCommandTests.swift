import JSONReading
import Migrations
import Postgres
import TestSupport
import Testing

@Suite("rewardctl doctor")
struct DoctorCommandTests {
    private let database: TemporaryDatabase

    init() throws {
        database = try TemporaryDatabase.migrated()
    }

    @Test("finds nothing wrong where work runs, and says so on standard error only")
    func healthy() throws {
        let worker = try ScriptedWorker(database)
        try submit(items: 2)
        try worker.work([ScriptedWorker.score(0, 3)], finishing: false)
        try beat()
        let text = try RewardctlProcess.run(["doctor"], url: database.url)
        #expect(text.status == 0, "\(text.output)")
        #expect(text.output.isEmpty)
        #expect(text.messages == "10 checks: nothing wrong.\n")
        try beat()
        let json = try RewardctlProcess.run(["doctor", "--json"], url: database.url)
        #expect(json.status == 0)
        #expect(
            json.output
                == #"{"apiVersion":"rewardctl/v1","checks":["schema_version","schema_objects","#
                + #""transactions","vacuum","connections","clock","notifications","daemons","#
                + #""queues","shards"],"items":[]}"# + "\n"
        )
    }

    @Test("a missing index is named with the statement that makes it, which does")
    func missingIndex() throws {
        try execute("DROP INDEX rewardd.shard_ready")
        let text = try RewardctlProcess.run(["doctor"], url: database.url)
        #expect(text.status == 1)
        let statement =
            "CREATE INDEX shard_ready ON rewardd.shard USING btree (queue, model, priority DESC, "
            + "fair_seq, shard_id) WHERE (state = 'ready'::rewardd.shard_state)"
        #expect(
            text.lines == [
                "problem: index shard_ready", "  expected  \(statement)", "  found     missing",
                "  remedy    Run the statement as a member of rewardd_owner.",
                "            SET ROLE rewardd_owner; \(statement)",
            ]
        )
        #expect(text.messages == "10 checks: 1 problem.\n")
        let found = try DoctorRun(database.url)
        #expect(found.subjects == ["problem schema_objects: index shard_ready"])
        try execute(try #require(found.items[0]["statement"]?.text))
        #expect(try DoctorRun(database.url).items == [])
    }

    @Test("a changed function is told by the first line that differs, and repaired by the document")
    func changedFunction() throws {
        try execute("ALTER FUNCTION rewardd.rescue() RESET search_path")
        let text = try RewardctlProcess.run(["doctor"], url: database.url)
        #expect(text.status == 1)
        #expect(text.output.contains("problem: function rescue()\n"))
        #expect(text.output.contains("  expected  line 5: SET search_path TO 'pg_catalog', "))
        #expect(text.output.contains("  found     line 5: SET lock_timeout TO "), "\(text.output)")
        #expect(text.output.contains("lines of SQL, printed by 'rewardctl doctor --json')"))
        let found = try DoctorRun(database.url)
        try execute(try #require(found.items[0]["statement"]?.text))
        #expect(try DoctorRun(database.url).items == [])
    }

    @Test("more objects are warnings, an index or a reader's grant of the operator's are notes")
    func unexpected() throws {
        try execute(
            """
            CREATE INDEX mine ON rewardd.job (created_at);
            GRANT SELECT ON rewardd.job TO rewardd_read
            """
        )
        let notes = try DoctorRun(database.url)
        #expect(notes.status == 0)
        #expect(
            notes.subjects == [
                "note schema_objects: grant SELECT on table job to rewardd_read",
                "note schema_objects: index mine",
            ]
        )
        try execute(
            """
            GRANT DELETE ON rewardd.job TO rewardd_read;
            GRANT SELECT ON rewardd.job TO PUBLIC;
            ALTER TABLE rewardd.job ADD COLUMN extra text
            """
        )
        let found = try DoctorRun(database.url)
        #expect(found.status == 1)
        #expect(
            found.subjects.prefix(3) == [
                "problem schema_objects: grant SELECT on table job to PUBLIC",
                "warning schema_objects: column job.extra",
                "warning schema_objects: grant DELETE on table job to rewardd_read",
            ]
        )
        #expect(
            found.texts("statement").first
                == "SET ROLE rewardd_owner; REVOKE SELECT ON TABLE rewardd.job FROM PUBLIC"
        )
    }

    @Test("a check that was broken is a problem of its own, and the others go on")
    func brokenCheck() throws {
        try execute(
            """
            CREATE OR REPLACE FUNCTION rewardd.check_shards(patience interval DEFAULT '30 minutes')
            RETURNS TABLE (fault text, job_id bigint, shard_id bigint, daemon_id bigint,
                since timestamptz)
            LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''broken''; END';
            DROP FUNCTION rewardd.check_queues()
            """
        )
        let found = try DoctorRun(database.url)
        #expect(found.status == 1)
        #expect(
            found.subjects == [
                "problem schema_objects: function check_queues()",
                "problem schema_objects: function check_shards(interval)",
                "problem queues: check queues", "problem shards: check shards",
            ]
        )
        #expect(found.texts("found").last == "broken.")
    }

    @Test("an old schema is told to migrate, and what it lacks is not checked")
    func oldSchema() throws {
        let database = try TemporaryDatabase.empty()
        let connection = try database.connect(options: .patient)
        for statement in MigrationPlan.statements(current: 0, target: 21) {
            try connection.execute(Query(script: statement))
        }
        let found = try DoctorRun(database.url)
        #expect(found.status == 1)
        #expect(
            found.subjects == [
                "problem schema_version: schema rewardd",
                "not_checked schema_objects: check schema_objects",
                "not_checked queues: check queues", "not_checked shards: check shards",
            ]
        )
        #expect(found.texts("remedy").allSatisfy { $0 == "Run 'rewardctl migrate'." })
        #expect(try RewardctlProcess.run(["migrate"], url: database.url).status == 0)
        let after = try DoctorRun(database.url)
        #expect(after.items == [], "\(after.subjects) \(after.texts("found"))")
    }

    @Test("a database without the schema has one problem; a newer one needs a newer tool")
    func otherSchemas() throws {
        let empty = try TemporaryDatabase.empty()
        let none = try DoctorRun(empty.url)
        #expect(none.status == 1)
        #expect(none.subjects == ["problem schema_version: schema rewardd"])
        #expect(none.checks.count == 6)
        try execute(
            """
            INSERT INTO rewardd.schema_version (version, name, breaking)
            VALUES (\(MigrationCatalog.latest + 1), 'from_the_future', false)
            """
        )
        let newer = try DoctorRun(database.url)
        #expect(newer.texts("remedy") == ["Use the rewardctl of the newer release."])
    }

    @Test("an operator needs one group role; what a role may not see is said")
    func leastPrivilege() throws {
        for role in ["rewardd_admin", "rewardd_read", "rewardd_work"] {
            let found = try DoctorRun(database.makeLogin(memberOf: [role]))
            #expect(found.status == 0, "\(role)")
            #expect(found.subjects == ["not_checked transactions: sessions of other roles"])
        }
        let full = try database.makeLogin(memberOf: ["rewardd_admin", "pg_read_all_stats"])
        #expect(try DoctorRun(full).items == [])
        let submitter = try DoctorRun(database.makeLogin(memberOf: ["rewardd_submit"]))
        #expect(submitter.status == 0)
        #expect(
            submitter.subjects == [
                "not_checked transactions: sessions of other roles",
                "not_checked daemons: check daemons", "not_checked queues: check queues",
                "not_checked shards: check shards",
            ]
        )
        let stranger = try RewardctlProcess.run(
            ["doctor"],
            url: database.makeLogin(memberOf: [])
        )
        #expect(stranger.status == 6)
        #expect(stranger.messages.contains("rewardd_read"))
    }

    @Test("changes nothing")
    func readOnly() throws {
        try execute("DROP INDEX rewardd.shard_ready")
        _ = try DoctorRun(database.url)
        #expect(try DoctorRun(database.url).items.count == 1)
    }

    /// A heartbeat good for longer than a slow machine takes for the next step.
    private func beat() throws {
        try execute(
            """
            UPDATE rewardd.daemon SET beat_at = clock_timestamp(),
                lease_until = clock_timestamp() + interval '1 h'
            """
        )
    }

    private func execute(_ sql: String) throws {
        try database.connect(options: .patient).executeScript(sql)
    }

    private func submit(items: Int) throws {
        let lines = (0..<items).map { #"{"caption":"c\#($0)","image":"/i.png"}"# }
        let outcome = try RewardctlProcess.run(
            [
                "submit", "point_score", "--task", "image_generation", "--model", "scenes",
                "--items", "-",
            ],
            input: lines.joined(separator: "\n"),
            url: database.url
        )
        #expect(outcome.status == 0, "\(outcome.messages)")
    }
}
