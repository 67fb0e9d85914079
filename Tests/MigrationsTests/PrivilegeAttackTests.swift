import Postgres
import TestSupport
import Testing

/// What a login tries that has `rewardd_submit` and nothing else: each attempt is refused, and afterwards
/// every row, right and definition is as before.
@Suite("attacks by a submitter")
struct PrivilegeAttackTests {
    let queue: QueueFixture
    let alice: QueueFixture
    let mallory: QueueFixture
    /// The victim's job, which a daemon runs.
    let lease: QueueFixture.Lease
    let daemon: Int
    let media: String

    init() throws {
        queue = try QueueFixture()
        alice = try queue.login("rewardd_submit")
        mallory = try queue.login("rewardd_submit")
        try queue.connection.execute("SELECT rewardd.create_queue('closed')")
        try queue.connection.execute("SELECT rewardd.grant_queue('closed', 'rewardd_work')")
        _ = try alice.schedule("nightly")
        media = try alice.text("SELECT rewardd.put_media('secret picture') AS value")
        try alice.enqueue(items: 2)
        daemon = try queue.register()
        lease = try queue.claim(daemon)[0]
        _ = try queue.checkpoint(lease, completed: [0])
    }

    /// A digest of every row of the schema, every definition and right, and every membership.
    func state() throws -> String {
        try queue.text(
            """
            SELECT md5(concat(
                (SELECT string_agg(query_to_xml(format('SELECT * FROM rewardd.%I t ORDER BY t::text',
                        t.tablename), true, false, '')::text, '|' ORDER BY t.tablename)
                    FROM pg_tables t WHERE t.schemaname = 'rewardd'),
                (SELECT string_agg(concat(p.oid::regprocedure, p.prosrc, p.proacl, p.proowner), '|'
                    ORDER BY p.oid) FROM pg_proc p WHERE p.pronamespace = 'rewardd'::regnamespace),
                (SELECT string_agg(concat(c.relname, c.relkind, c.relacl, c.relowner), '|'
                    ORDER BY c.oid) FROM pg_class c WHERE c.relnamespace = 'rewardd'::regnamespace),
                (SELECT string_agg(concat(r.rolname, r.rolsuper, r.rolcreaterole, r.rolcanlogin), '|'
                    ORDER BY r.oid) FROM pg_roles r WHERE r.rolname LIKE 'rewardd\\_%\\_' OR r.rolname IN
                    ('rewardd_owner', 'rewardd_submit', 'rewardd_read', 'rewardd_work', 'rewardd_admin')),
                (SELECT nspacl::text FROM pg_namespace WHERE nspname = 'rewardd'))) AS value
            """
        )
    }

    /// Fills in what only the run knows.
    func filled(_ attack: String) -> String {
        attack.replacing("{job}", with: "\(lease.job)").replacing("{shard}", with: "\(lease.shard)")
            .replacing("{token}", with: "\(lease.token)").replacing("{daemon}", with: "\(daemon)")
            .replacing("{media}", with: media)
    }

    func attempt(_ attacks: [String], _ states: Set<SQLState>) throws {
        let before = try state()
        for attack in attacks {
            let error = try mallory.refusal {
                try mallory.connection.execute(Query(script: filled(attack)))
            }
            let code = try #require(error?.sqlState, "not refused: \(attack)")
            #expect(states.contains(code), "\(attack): \(error?.message ?? "")")
        }
        #expect(try state() == before)
    }

    static let tables = [
        "job", "shard", "item", "item_result", "judgement", "judgement_use", "preference_pair",
        "event",
        "daemon", "queue", "queue_grant", "schedule", "schedule_slot", "media", "media_upload",
        "media_use", "media_usage", "media_quota", "model", "engine", "pruning", "schema_version",
        "schema_object",
    ]

    @Test("reads, writes, locks and changes of tables")
    func directTables() throws {
        let known = try queue.list(
            "SELECT tablename::text AS value FROM pg_tables WHERE schemaname = 'rewardd'"
        )
        #expect(Set(known) == Set(Self.tables), "a table is missing in the list above")
        for table in Self.tables {
            try attempt(
                [
                    "SELECT * FROM rewardd.\(table)", "SELECT count(*) FROM rewardd.\(table)",
                    "SELECT FROM rewardd.\(table) FOR UPDATE",
                    "INSERT INTO rewardd.\(table) DEFAULT VALUES",
                    "DELETE FROM rewardd.\(table)", "TRUNCATE rewardd.\(table)",
                    "DO 'BEGIN LOCK TABLE rewardd.\(table) IN ACCESS SHARE MODE; END'",
                    "COPY rewardd.\(table) TO STDOUT", "DROP TABLE rewardd.\(table)",
                    "ALTER TABLE rewardd.\(table) DISABLE TRIGGER ALL",
                    "CREATE RULE mine AS ON INSERT TO rewardd.\(table) DO INSTEAD NOTHING",
                ],
                [.insufficientPrivilege]
            )
        }
    }

    @Test("the daemons' functions, with a true lease token")
    func workerFunctions() throws {
        try attempt(
            [
                "SELECT rewardd.claim_shards({daemon}, '{m}', '{default}', 1)",
                "SELECT rewardd.checkpoint({shard}, {token}, '[]', '[]')",
                """
                SELECT rewardd.checkpoint({shard}, {token}, '[]',
                    '[{"item_index": 1, "state": "completed", "result": {"score": 5}}]')
                """,
                "SELECT rewardd.checkpoint({shard}, {token} + 1, '[]', '[]')",
                "SELECT rewardd.finish_shard({shard}, {token}, 'fail')",
                "SELECT rewardd.report_progress({shard}, {token}, '{\"step\": 1}')",
                "SELECT rewardd.register_model({shard}, {token}, sha256('x'), '/m', 'h')",
                "SELECT rewardd.find_judgements(ARRAY[sha256('x')], {job})",
                "SELECT rewardd.get_media(decode('{media}', 'hex'))", "SELECT rewardd.rescue()",
                "SELECT rewardd.heartbeat({daemon}, true)", "SELECT rewardd.stop_daemon({daemon})",
                "SELECT rewardd.hold_daemon_lock({daemon})", "SELECT rewardd.run_due_schedules()",
                "SELECT rewardd.register_daemon('h', 1, 'v', '{m}', '{default}')",
                "SELECT rewardd.set_daemon_models({daemon}, '{}')",
                "SELECT rewardd.report_engines({daemon}, '[]')",
                "SELECT rewardd.cancelled_shards({daemon})", "SELECT rewardd.prune()",
                "SELECT nextval('rewardd.lease_token_sequence')",
                "SELECT setval('rewardd.lease_token_sequence', 1)",
                "SELECT last_value FROM rewardd.lease_token_sequence",
            ],
            [.insufficientPrivilege]
        )
    }

    @Test("the administrators' functions, and those inside the schema")
    func adminFunctions() throws {
        try attempt(
            [
                "SELECT rewardd.create_queue('mine')", "SELECT rewardd.pause_queue('default')",
                "SELECT rewardd.resume_queue('default')", "SELECT rewardd.drain_daemon({daemon})",
                "SELECT rewardd.set_queue_limit('default', 1)",
                "SELECT rewardd.set_queue_retention('default', '1 minute')",
                "SELECT rewardd.grant_queue('closed', session_user)",
                "SELECT rewardd.revoke_queue('closed', 'rewardd_work')",
                "SELECT rewardd.set_media_quota(session_user, 1000000000000)",
                "SELECT rewardd.prune_jobs('1 minute')", "SELECT * FROM rewardd.prunable_jobs()",
                "SELECT * FROM rewardd.queue_status", "SELECT * FROM rewardd.daemon_status",
                "SELECT * FROM rewardd.engine_status",
                "SELECT * FROM rewardd.check_shards()", "SELECT * FROM rewardd.check_queues()",
            ],
            [.insufficientPrivilege]
        )
        // Called without arguments: the right to call is checked before whether they fit.
        let inner = try queue.list(
            """
            SELECT p.oid::regprocedure::text || ' ' || coalesce((
                SELECT string_agg('NULL::' || format_type(a, NULL), ', ' ORDER BY n)
                FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS t (a, n)), '') AS value
            FROM pg_proc p
            WHERE p.pronamespace = 'rewardd'::regnamespace AND p.proname LIKE '\\_%'
            """
        )
        #expect(inner.count > 60)
        try attempt(
            inner.map { line in
                let name = line.prefix { $0 != "(" }
                let arguments = line.drop { $0 != ")" }.dropFirst(2)
                return "SELECT * FROM \(name)(\(arguments))"
            },
            [.insufficientPrivilege]
        )
    }

    @Test("other submitters' jobs, schedules and files")
    func tenants() throws {
        try attempt(
            [
                "SELECT rewardd.cancel({job})", "SELECT rewardd.cancel({job}, 'x', true)",
                "SELECT rewardd.hold({job})", "SELECT rewardd.release({job})",
                "SELECT rewardd.retry({job})",
                "SELECT rewardd.set_deadline({job}, now() + interval '1 s')",
                "SELECT rewardd.drop_schedule('nightly')",
                "SELECT rewardd.pause_schedule('nightly')",
                "SELECT rewardd.resume_schedule('nightly')",
                "SELECT rewardd.run_schedule('nightly')",
                "SELECT rewardd.drop_media('{media}')",
            ],
            [.noDataFound]
        )
        let image = #"[{"caption": "c", "image": {"media": "{media}"}}]"#
        try attempt(
            [
                "SELECT rewardd.enqueue('point_score', '\(image)', 'image_generation', 'm')",
                """
                SELECT rewardd.create_schedule('mine', '@daily', 'point_score', '\(image)',
                    'image_generation', 'm')
                """,
            ],
            [.invalidParameterValue]
        )
        let taken = """
            SELECT rewardd.create_schedule('nightly', '@daily', 'point_score',
                '[{"caption": "c", "image": "x.png"}]', 'image_generation', 'm', replace => true)
            """
        try attempt([taken], [.wrongState])
        let before = try state()
        for view in [
            "job_status", "job_item", "result", "pair", "job_event", "job_judgement",
            "model_status",
            "schedule_status", "schedule_history", "media_status",
        ] {
            let rows = try mallory.connection.execute("SELECT * FROM rewardd.\(identifier: view)")
            #expect(rows.isEmpty, "\(view)")
            try attempt(
                ["UPDATE rewardd.\(view) SET job_id = 1", "DELETE FROM rewardd.\(view)"],
                [.insufficientPrivilege, .wrongState, SQLState(rawValue: "42703")]
            )
        }
        #expect(try state() == before)
    }

    @Test("a queue that is not granted, also in somebody's name")
    func closedQueue() throws {
        let submission = """
            'point_score', '[{"caption": "c", "image": "x.png"}]', 'image_generation', 'm', queue => 'closed'
            """
        try attempt(
            [
                "SELECT rewardd.enqueue(\(submission))",
                "SELECT rewardd.create_schedule('mine', '@daily', \(submission))",
            ],
            [.insufficientPrivilege]
        )
        // The settings that look like a login are the caller's to change, and count for nothing.
        for setting in [
            "SET application_name = 'rewardd'", "SET ROLE rewardd_submit",
            "SET search_path = rewardd, pg_catalog",
        ] {
            try mallory.connection.execute(Query(script: setting))
            try attempt(["SELECT rewardd.enqueue(\(submission))"], [.insufficientPrivilege])
        }
    }

    @Test("becoming somebody else, and the server's own powers")
    func powers() throws {
        let roles = ["rewardd_owner", "rewardd_work", "rewardd_read", "rewardd_admin", "postgres"]
        try attempt(
            roles.flatMap {
                [
                    "SET ROLE \($0)", "SET SESSION AUTHORIZATION \($0)",
                    "GRANT \($0) TO CURRENT_USER",
                    "SELECT set_config('role', '\($0)', false)",
                    "SELECT set_config('session_authorization', '\($0)', false)",
                ]
            } + [
                "ALTER ROLE CURRENT_USER SUPERUSER", "ALTER ROLE CURRENT_USER CREATEROLE",
                "CREATE ROLE accomplice", "ALTER ROLE rewardd_admin LOGIN",
                "GRANT ALL ON ALL TABLES IN SCHEMA rewardd TO CURRENT_USER",
                "GRANT EXECUTE ON FUNCTION rewardd.rescue() TO CURRENT_USER",
                "ALTER DEFAULT PRIVILEGES FOR ROLE rewardd_owner GRANT ALL ON TABLES TO PUBLIC",
                "ALTER SCHEMA rewardd OWNER TO CURRENT_USER", "DROP SCHEMA rewardd CASCADE",
                "CREATE TABLE rewardd.mine ()", "CREATE VIEW rewardd.mine AS SELECT 1",
                "CREATE FUNCTION rewardd.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                """
                CREATE OR REPLACE FUNCTION rewardd.rescue() RETURNS int LANGUAGE sql AS 'SELECT 0'
                """,
                "ALTER FUNCTION rewardd.rescue() SECURITY INVOKER",
                "ALTER FUNCTION rewardd.put_media(bytea) SET search_path = pg_temp",
                "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION pg_catalog.lower()",
                "CREATE CAST (text AS int) WITH INOUT AS IMPLICIT",
                "COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/rewardd-attack'",
                "SELECT pg_read_file('/etc/passwd')", "SELECT lo_import('/etc/passwd')",
                "SELECT pg_ls_dir('/')", "LOAD '$libdir/../../../tmp/x'",
                "ALTER SYSTEM SET fsync = off",
                "SET session_replication_role = replica", "SET log_min_messages = panic",
                "SELECT pg_reload_conf()",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
                "SELECT * FROM pg_authid", "SELECT * FROM pg_shadow",
            ],
            [.insufficientPrivilege]
        )
    }
}
