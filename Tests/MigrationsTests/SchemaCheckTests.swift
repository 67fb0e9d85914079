import Postgres
import TestSupport
import Testing

/// Faults are planted by SQL, as an operator's hand, a broken restore or an attacker would.
@Suite("check_schema")
struct SchemaCheckTests {
    let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    @Test("finds nothing in a fresh schema, whatever the session's settings are")
    func healthy() throws {
        #expect(try queue.schemaFaults() == [])
        try queue.connection.executeScript(
            """
            SET quote_all_identifiers = on; SET DateStyle = German; SET TimeZone = 'Asia/Tokyo';
            SET IntervalStyle = sql_standard; SET extra_float_digits = 3; SET bytea_output = escape;
            SET search_path = rewardd, pg_temp
            """
        )
        #expect(try queue.schemaFaults() == [])
    }

    @Test("finds nothing in a schema that is used and tuned")
    func use() throws {
        let daemon = try queue.register()
        try queue.enqueue(items: 3)
        let lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, completed: [0, 1, 2])
        _ = try queue.finish(lease, "done")
        try queue.connection.execute("ANALYZE")
        try queue.connection.execute(
            "ALTER TABLE rewardd.shard SET (autovacuum_vacuum_threshold = 9)"
        )
        #expect(try queue.schemaFaults() == [])
    }

    @Test(
        "names what is missing, changed or new, and gives SQL that repairs it",
        arguments: [
            ("DROP INDEX rewardd.shard_ready", ["missing index shard_ready"]),
            (
                "ALTER FUNCTION rewardd.rescue() RESET search_path",
                ["changed function rescue()"]
            ),
            (
                """
                CREATE OR REPLACE FUNCTION rewardd._wake(queue text) RETURNS void LANGUAGE plpgsql
                AS 'BEGIN END'
                """,
                ["changed function _wake(text)"]
            ),
            (
                "DROP FUNCTION rewardd.drain_daemon(bigint)",
                ["missing function drain_daemon(bigint)"]
            ),
            ("DROP VIEW rewardd.queue_status", ["missing view queue_status"]),
            (
                """
                CREATE OR REPLACE VIEW rewardd.queue_status AS
                SELECT name, paused_at, 0 AS scheduled, 0 AS ready, 0 AS running, 0 AS held,
                    max_running, retention, ARRAY[]::text[] COLLATE "C" AS submitters
                FROM rewardd.queue
                """,
                ["changed view queue_status"]
            ),
            (
                "ALTER VIEW rewardd.job_status RESET (security_barrier)",
                ["changed view job_status"]
            ),
            (
                "ALTER TABLE rewardd.item DROP CONSTRAINT item_pkey",
                ["missing constraint item.item_pkey"]
            ),
            (
                "REVOKE SELECT ON rewardd.pair FROM rewardd_submit",
                ["missing grant SELECT on view pair to rewardd_submit"]
            ),
            (
                "REVOKE USAGE ON SCHEMA rewardd FROM rewardd_read",
                ["missing grant USAGE on schema rewardd to rewardd_read"]
            ),
            (
                "GRANT SELECT (payload) ON rewardd.item TO rewardd_read",
                ["unexpected grant SELECT (payload) on table item to rewardd_read"]
            ),
            (
                "GRANT EXECUTE ON FUNCTION rewardd.rescue() TO PUBLIC",
                ["unexpected grant EXECUTE on function rescue() to PUBLIC"]
            ),
            (
                """
                CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN RETURN NULL; END';
                CREATE TRIGGER nasty BEFORE INSERT ON rewardd.item
                FOR EACH ROW EXECUTE FUNCTION public.refuse()
                """,
                ["unexpected trigger item.nasty"]
            ),
            (
                "CREATE RULE quiet AS ON DELETE TO rewardd.item DO INSTEAD NOTHING",
                ["unexpected rule item.quiet"]
            ),
            (
                """
                CREATE FUNCTION rewardd.cancel(job_id text) RETURNS text LANGUAGE sql
                AS 'SELECT ''''::text'
                """,
                ["unexpected function cancel(text)"]
            ),
            ("ALTER TABLE rewardd.job ADD COLUMN extra int", ["unexpected column job.extra"]),
            ("CREATE INDEX beat ON rewardd.daemon (beat_at)", ["unexpected index beat"]),
            (
                "ALTER TABLE rewardd.daemon OWNER TO postgres",
                ["owner table daemon"]
            ),
            (
                """
                UPDATE pg_index SET indisvalid = false
                WHERE indexrelid = 'rewardd.shard_live'::regclass
                """,
                ["invalid index shard_live"]
            ),
        ]
    )
    func faults(sql: String, expected: [String]) throws {
        try queue.connection.executeScript(sql)
        #expect(try queue.schemaFaults() == expected)
        try queue.repairSchema()
        #expect(try queue.schemaFaults() == [])
    }

    @Test("tells what changed in a table or type, without a repair that could lose data")
    func changedTables() throws {
        try queue.connection.executeScript(
            """
            ALTER TABLE rewardd.job ALTER COLUMN error SET NOT NULL;
            ALTER TABLE rewardd.event ALTER COLUMN data DROP DEFAULT;
            ALTER TABLE rewardd.item ENABLE ROW LEVEL SECURITY;
            ALTER TYPE rewardd.job_state ADD VALUE 'lost';
            DROP TABLE rewardd.media_upload
            """
        )
        let rows = try queue.list(
            """
            SELECT concat_ws(' | ', c.fault, c.name, c.expected, c.found, c.repair) AS value
            FROM rewardd.check_schema() c
            """
        )
        let states = "scheduled, ready, held, running, completed, failed, cancelled"
        #expect(
            rows == [
                "changed | event.data | jsonb NOT NULL DEFAULT '{}'::jsonb | jsonb NOT NULL",
                "changed | job.error | text | text NOT NULL",
                "changed | item | table | table, row security",
                "missing | media_upload | table",
                "changed | job_state | \(states) | \(states), lost",
            ]
        )
    }

    @Test("does not compare definitions that another version of PostgreSQL worded")
    func otherServer() throws {
        try queue.connection.executeScript(
            """
            UPDATE rewardd.schema_object SET server_major = server_major - 1, definition = 'other';
            DROP INDEX rewardd.shard_ready
            """
        )
        let faults = try queue.schemaFaults()
        #expect(faults.filter { !$0.hasPrefix("not_compared") } == ["missing index shard_ready"])
        try queue.connection.execute("SELECT rewardd._record_objects()")
        #expect(try queue.schemaFaults() == [])
    }

    @Test("a right of PUBLIC is told even when it was there before the record")
    func recordedPublic() throws {
        try queue.connection.executeScript(
            "GRANT SELECT ON rewardd.job TO PUBLIC; SELECT rewardd._record_objects()"
        )
        #expect(try queue.schemaFaults() == ["public grant SELECT on table job to PUBLIC"])
    }

    @Test("a migration records what it makes, and no fault that it leaves as it is")
    func migration() throws {
        try queue.connection.executeScript(
            """
            DROP INDEX rewardd.shard_ready;
            DROP FUNCTION rewardd.drain_daemon(bigint);
            CREATE OR REPLACE FUNCTION rewardd._wake(queue text) RETURNS void LANGUAGE plpgsql
                AS 'BEGIN END';
            CREATE FUNCTION rewardd.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'
            """
        )
        try queue.apply(
            """
            CREATE TABLE rewardd.later (a int);
            DROP INDEX rewardd.shard_job;
            CREATE FUNCTION rewardd.drain_daemon(daemon_id bigint) RETURNS void LANGUAGE sql
                AS 'SELECT 1'
            """
        )
        #expect(
            try queue.schemaFaults() == [
                "changed function _wake(text)", "unexpected function mine()",
                "missing grant EXECUTE on function drain_daemon(bigint) to rewardd_admin",
                "missing index shard_ready",
            ]
        )
    }

    @Test("every group role may ask, and nobody else; objects of the caller are not used")
    func roles() throws {
        for role in ["rewardd_submit", "rewardd_read", "rewardd_work", "rewardd_admin"] {
            let user = try queue.login(role)
            try user.connection.executeScript(
                """
                CREATE TEMP TABLE schema_object (kind text, name text);
                SET search_path = pg_temp, rewardd, pg_catalog
                """
            )
            #expect(try user.schemaFaults() == [], "\(role)")
        }
        let stranger = try queue.login()
        let refusal = try stranger.refusal { _ = try stranger.schemaFaults() }
        #expect(refusal?.sqlState == .insufficientPrivilege)
    }
}
