import Postgres
import TestSupport
import Testing

/// Attacks by names: of own objects that shadow the system's, and of SQL in place of texts.
extension PrivilegeAttackTests {
    @Test("own functions, operators, types and tables in the search path")
    func hijack() throws {
        let login = try mallory.text("SELECT session_user::text AS value")
        // More than a submitter has: a schema of its own.
        try queue.connection.execute(
            "CREATE SCHEMA evil AUTHORIZATION \(identifier: login)"
        )
        let trap =
            "LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hijacked as %'', current_user; END'"
        let traps = [
            "now() RETURNS timestamptz", "clock_timestamp() RETURNS timestamptz",
            "sha256(bytea) RETURNS bytea", "octet_length(bytea) RETURNS int",
            "pg_has_role(name, name, text) RETURNS boolean",
            "pg_has_role(oid, oid, text) RETURNS boolean",
            "coalesce_text(text, text) RETURNS text", "jsonb_array_length(jsonb) RETURNS int",
            "_check_queue_grant(name, text) RETURNS void", "_check_owner(bigint) RETURNS void",
            "_enqueue(name, text, jsonb, text, text, jsonb, text, int, timestamptz, text) RETURNS bigint",
            "_fair_place(text, text, smallint, text) RETURNS record",
            "_first_place(text, text, smallint) RETURNS bigint",
            "_is_plain(text, text, text, jsonb, int, jsonb) RETURNS boolean",
            "_item_rules() RETURNS jsonb",
            "_media_quota(name) RETURNS bigint",
            "equal(text, text) RETURNS boolean", "equal(name, name) RETURNS boolean",
            "equal(bigint, bigint) RETURNS boolean",
            "less(timestamptz, timestamptz) RETURNS boolean",
            "joined(text, text) RETURNS text",
        ]
        for schema in ["evil", "pg_temp"] {
            for head in traps {
                try mallory.connection.execute(
                    Query(script: "CREATE FUNCTION \(schema).\(head) \(trap)")
                )
            }
        }
        try mallory.connection.executeScript(
            """
            CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.equal);
            CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.equal);
            CREATE OPERATOR evil.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = evil.equal);
            CREATE OPERATOR evil.< (LEFTARG = timestamptz, RIGHTARG = timestamptz, FUNCTION = evil.less);
            CREATE OPERATOR evil.|| (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.joined);
            CREATE TYPE evil.job_state AS ENUM ('mine');
            CREATE DOMAIN evil.jsonb AS text;
            CREATE TABLE evil.job (job_id bigint, submitted_by name);
            CREATE TABLE evil.queue (name text); CREATE TABLE evil.queue_grant (queue text);
            CREATE TEMP TABLE queue_grant (queue text, verb text, role name);
            CREATE TEMP TABLE media_upload (submitted_by name, digest bytea);
            CREATE TEMP TABLE pg_roles (oid oid, rolname name);
            SET search_path = evil, pg_temp, rewardd, pg_catalog
            """
        )
        let job = try mallory.number(
            """
            SELECT rewardd.enqueue('point_score'::text,
                '[{"caption": "c", "image": "x.png"}]'::pg_catalog.jsonb, 'image_generation'::text,
                'm'::text, idempotency_key => 'k'::text) AS value
            """
        )
        try mallory.connection.executeScript(
            """
            SELECT rewardd.set_deadline(\(job), pg_catalog.now() OPERATOR(pg_catalog.+) interval '1 hour');
            SELECT rewardd.hold(\(job)); SELECT rewardd.release(\(job)); SELECT rewardd.cancel(\(job));
            SELECT rewardd.retry(\(job)); SELECT rewardd.put_media('x'::bytea);
            SELECT rewardd.drop_media(pg_catalog.encode(pg_catalog.sha256('x'::bytea), 'hex'));
            SELECT rewardd.create_schedule('mine', '@daily', 'point_score',
                '[{"caption": "c", "image": "x.png"}]'::pg_catalog.jsonb, 'image_generation', 'm');
            SELECT rewardd.run_schedule('mine'); SELECT rewardd.drop_schedule('mine')
            """
        )
        #expect(try queue.status(job) == "ready 1 0 0")
        try attempt(
            ["SELECT rewardd.cancel({job})", "SELECT rewardd.run_schedule('nightly')"],
            [.noDataFound]
        )
    }

    @Test("SQL in every text argument")
    func injection() throws {
        let text = "x'); DROP SCHEMA rewardd CASCADE; --\" $function$ \\"
        let before = try queue.number(
            "SELECT count(*) AS value FROM pg_class WHERE relnamespace = 'rewardd'::regnamespace"
        )
        let items = #"[{"caption": "c", "image": "x.png", "id": "'; DROP TABLE rewardd.job; --"}]"#
        let statements: [Query] = [
            "SELECT rewardd.enqueue(\(text), \(items)::jsonb, 'image_generation', 'm')",
            "SELECT rewardd.enqueue('point_score', \(items)::jsonb, \(text), 'm')",
            "SELECT rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', \(text))",
            "SELECT rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', 'm', queue => \(text))",
            """
            SELECT rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', 'm',
                idempotency_key => \(text))
            """,
            """
            SELECT rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', 'm',
                jsonb_build_object(\(text)::text, \(text)::text))
            """,
            """
            SELECT rewardd.enqueue('point_score', jsonb_build_array(jsonb_build_object(
                \(text)::text, 1)), 'image_generation', 'm')
            """,
            """
            SELECT rewardd.create_schedule(\(text), '@daily', 'point_score', \(items)::jsonb,
                'image_generation', 'm')
            """,
            """
            SELECT rewardd.create_schedule('s', \(text), 'point_score', \(items)::jsonb,
                'image_generation', 'm')
            """,
            """
            SELECT rewardd.create_schedule('s', '@daily', 'point_score', \(items)::jsonb,
                'image_generation', 'm', time_zone => \(text))
            """,
            """
            SELECT rewardd.create_schedule('s', '@daily', 'point_score', \(items)::jsonb,
                'image_generation', 'm', misfire => \(text), overlap => \(text))
            """,
            "SELECT rewardd.drop_schedule(\(text))", "SELECT rewardd.run_schedule(\(text))",
            "SELECT rewardd.drop_media(\(text))", "SELECT rewardd.next_slot(\(text), \(text))",
            "SELECT rewardd.cancel(rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', 'm'), \(text))",
            "SELECT rewardd.hold(rewardd.enqueue('point_score', \(items)::jsonb, 'image_generation', 'm'), \(text))",
            "SELECT rewardd.put_media(convert_to(\(text), 'UTF8'))",
        ]
        for statement in statements {
            // Taken as text or refused in words: never a syntax error, never another right.
            let error = try mallory.refusal { try mallory.connection.execute(statement) }
            if let error {
                #expect(error.hint != nil, "\(error.message)")
            }
        }
        _ = try queue.runSchedules()
        let after = try queue.number(
            "SELECT count(*) AS value FROM pg_class WHERE relnamespace = 'rewardd'::regnamespace"
        )
        #expect(after == before)
        #expect(try queue.status(lease.job) == "running 2 1 0")
    }
}
