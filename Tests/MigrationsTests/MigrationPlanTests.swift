import Migrations
import Postgres
import TestSupport
import Testing

@Suite("migrations")
struct MigrationPlanTests {
    @Test("are numbered from 1 without gaps, named, and safe to quote")
    func catalog() {
        #expect(MigrationCatalog.all.map(\.number) == Array(1...MigrationCatalog.latest))
        #expect(MigrationCatalog.oldestUnderstood <= MigrationCatalog.latest)
        for migration in MigrationCatalog.all {
            #expect(!migration.name.isEmpty && !migration.name.contains("."))
            #expect(!migration.sql.contains("$rewardd_migration"))
            #expect(!migration.breaking)
        }
    }

    @Test("give no statement for a database that is up to date or ahead")
    func nothingToDo() {
        let latest = MigrationCatalog.latest
        #expect(MigrationPlan.statements(current: latest, target: latest).isEmpty)
        #expect(MigrationPlan.statements(current: latest + 1, target: latest).isEmpty)
        #expect(MigrationPlan.statements(current: 2, target: 5).count == 3)
    }

    @Test("applied twice give the same schema as once")
    func repeated() throws {
        let queue = try QueueFixture(database: TemporaryDatabase.empty())
        #expect(try version(queue) == 0)
        try migrate(queue)
        let once = try dump(queue)
        #expect(try version(queue) == MigrationCatalog.latest)
        try migrate(queue)
        #expect(try dump(queue) == once)
        #expect(once.count > 100)
    }

    @Test("applied by eight connections at once give the same schema as by one")
    func concurrent() throws {
        let queue = try QueueFixture(database: TemporaryDatabase.empty())
        let database = queue.database
        _ = try onThreads(8) { _ in try migrate(QueueFixture(database: database)) }
        let versions = try queue.connection.execute(
            "SELECT version, name FROM rewardd.schema_version ORDER BY version"
        )
        #expect(try versions.map { try $0.int("version") } == Array(1...MigrationCatalog.latest))
        #expect(try dump(queue) == dump(QueueFixture()))
    }

    @Test("applied out of order are refused with both numbers")
    func outOfOrder() throws {
        let queue = try QueueFixture(database: TemporaryDatabase.empty())
        let last = MigrationCatalog.latest
        for statement in MigrationPlan.statements(current: 0, target: 2) {
            try queue.connection.execute(Query(script: statement))
        }
        let error = #expect(throws: PostgresError.self) {
            for statement in MigrationPlan.statements(current: last - 1, target: last) {
                try queue.connection.execute(Query(script: statement))
            }
        }
        let sentence =
            "migration \(last): expected a database at version \(last - 1), got version 2"
        #expect(error?.message == sentence)
    }

    @Test("by a user without rights are refused with the way out")
    func unprivileged() throws {
        let queue = try QueueFixture(database: TemporaryDatabase.empty()).login()
        let error = #expect(throws: PostgresError.self) { try migrate(queue) }
        #expect(error?.sqlState == .insufficientPrivilege)
        #expect(error?.hint?.contains("deploy/postgres/roles.sql") == true)
    }

    @Test("by a member of rewardd_owner who may create a schema go through")
    func byOwner() throws {
        // The roles belong to the server: any migrated database has made them.
        _ = try TemporaryDatabase.migrated()
        let queue = try QueueFixture(database: TemporaryDatabase.empty())
        let owner = try queue.login("rewardd_owner")
        let login = try owner.text("SELECT session_user AS value")
        try queue.connection.execute(
            """
            GRANT CREATE ON DATABASE \(identifier: queue.database.name) TO \(identifier: login)
            """
        )
        try migrate(owner)
        try migrate(owner)
        #expect(try version(owner) == MigrationCatalog.latest)
    }

    @Test("leave every function commented, pinned, and closed to the public")
    func functions() throws {
        let queue = try QueueFixture()
        let bare = try queue.list(
            """
            SELECT p.oid::regprocedure::text AS value
            FROM pg_proc p
            WHERE p.pronamespace = 'rewardd'::regnamespace AND (
                obj_description(p.oid, 'pg_proc') IS NULL
                OR pg_get_userbyid(p.proowner) <> 'rewardd_owner'
                OR has_function_privilege('public', p.oid, 'EXECUTE')
                OR p.proname NOT LIKE '\\_%' AND NOT (p.prosecdef AND p.proconfig @>
                    ARRAY['search_path=pg_catalog, rewardd, pg_temp'])
                OR p.proname LIKE '\\_%' AND (p.prosecdef OR EXISTS (
                    SELECT FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner)))
            """
        )
        #expect(bare == [])
    }

    @Test("leave every table, view and column commented and owned by rewardd_owner")
    func tables() throws {
        let queue = try QueueFixture()
        let bare = try queue.list(
            """
            SELECT concat_ws('.', c.relname, a.attname) AS value
            FROM pg_class c
            LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND c.relkind = 'r'
            WHERE c.relnamespace = 'rewardd'::regnamespace AND c.relkind IN ('r', 'v') AND (
                obj_description(c.oid, 'pg_class') IS NULL
                OR pg_get_userbyid(c.relowner) <> 'rewardd_owner'
                OR c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NULL)
            """
        )
        #expect(bare == [])
    }

    // MARK: - Helpers

    private func version(_ queue: QueueFixture) throws -> Int {
        let row = try queue.connection.execute(
            Query(script: MigrationPlan.currentVersionQuery + " AS version")
        ).only()
        return try row.int("version")
    }

    /// The whole schema as sorted lines: definitions, comments and rights.
    private func dump(_ queue: QueueFixture) throws -> [String] {
        try queue.connection.execute(
            """
            SELECT line FROM (
                SELECT concat_ws(' | ', pg_get_functiondef(p.oid), p.proacl,
                    obj_description(p.oid, 'pg_proc')) AS line
                FROM pg_proc p WHERE p.pronamespace = 'rewardd'::regnamespace
                UNION ALL
                SELECT concat_ws(' | ', c.relname, c.relkind, c.reloptions, c.relacl, a.attname,
                    format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                    pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum),
                    CASE c.relkind WHEN 'v' THEN pg_get_viewdef(c.oid)
                        WHEN 'i' THEN pg_get_indexdef(c.oid) END)
                FROM pg_class c
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
                LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                WHERE c.relnamespace = 'rewardd'::regnamespace
                UNION ALL
                SELECT concat_ws(' | ', conrelid::regclass, conname, pg_get_constraintdef(oid))
                FROM pg_constraint WHERE connamespace = 'rewardd'::regnamespace
                UNION ALL
                SELECT concat_ws(' | ', version, name, breaking) FROM rewardd.schema_version
            ) AS lines (line)
            ORDER BY line
            """
        ).map { try $0.text("line") }
    }
}

private func migrate(_ queue: QueueFixture) throws {
    for statement in MigrationPlan.statements(current: 0, target: MigrationCatalog.latest) {
        try queue.connection.execute(Query(script: statement))
    }
}
