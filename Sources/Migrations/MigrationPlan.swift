/// The SQL that brings a database from one version to another, as pure data.
///
/// Each element is ONE statement (a `DO` block), so it is one transaction however it is sent: run
/// the elements in order, each by itself, outside any transaction. The block takes an advisory lock
/// first and records its version row before it changes anything; a second migrator waits for the
/// lock, finds the row and does nothing, so repeated and concurrent runs converge.
package struct MigrationPlan: Sendable {
    /// The statements that raise a database from version `current` to version `target`.
    ///
    /// - Parameters:
    ///   - current: What `SELECT max(version) FROM rewardd.schema_version` gave, 0 for a database
    ///     without the schema. Too low a number is harmless.
    ///   - target: The version wanted, at most ``MigrationCatalog/latest``.
    /// - Returns: One statement for each migration above `current`, none when there is nothing
    ///   to do.
    package static func statements(current: Int, target: Int) -> [String] {
        MigrationCatalog.all
            .filter { $0.number > current && $0.number <= target }
            .map(statement(for:))
    }

    /// A query giving the version of the connected database as one `int`; 0 without the schema.
    ///
    /// The table is reached through XML because a plain reference to it would not parse where it
    /// does not exist. Needs the rights of the migrating user.
    package static let currentVersionQuery = """
        SELECT CASE WHEN to_regclass('rewardd.schema_version') IS NULL THEN 0
               ELSE (xpath('/table/row/v/text()', query_to_xml(
                   'SELECT coalesce(max(version), 0) AS v FROM rewardd.schema_version',
                   false, false, '')))[1]::text::int END
        """

    /// The migrator's advisory lock: the namespace of the daemons' locks ('revd' in ASCII) and 0,
    /// which is no daemon's number.
    static let lockKey = "1919252068, 0"

    /// Delimits a migration's text inside the statement; no migration may contain it.
    static let quote = "$rewardd_migration_text$"

    /// Whether this database keeps a record of its objects, as those from version 22 on do.
    private static let recordsObjects = """
        EXISTS (
            SELECT FROM pg_catalog.pg_proc p
            JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = 'rewardd' AND p.proname = '_record_objects')
        """

    /// The statement that applies one migration to a database that has the one before it.
    static func statement(for migration: Migration) -> String {
        let number = migration.number
        return """
            DO $rewardd_migration$
            DECLARE
                role_before text := current_setting('role');
                version_before int := 0;
                drift jsonb := '{}';
            BEGIN
                PERFORM set_config('lock_timeout', '60s', true);
                PERFORM pg_advisory_xact_lock(\(lockKey));
                PERFORM set_config('lock_timeout', '5s', true);
                -- Not to_regclass: waiting for an advisory lock does not refresh the catalogue
                -- cache, so it would still miss a schema that the other migrator has just made.
                IF EXISTS (
                    SELECT FROM pg_catalog.pg_class c
                    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'rewardd' AND c.relname = 'schema_version')
                THEN
                    SELECT coalesce(max(version), 0) INTO version_before
                    FROM rewardd.schema_version;
                END IF;
                IF version_before >= \(number) THEN
                    RETURN;
                ELSIF version_before <> \(number - 1) THEN
                    RAISE EXCEPTION 'migration %: expected a database at version %, got version %',
                        \(number), \(number - 1), version_before
                        USING ERRCODE = '55000', HINT = 'Apply the migrations in order.';
                END IF;
                IF version_before > 0 THEN
                    SET LOCAL ROLE rewardd_owner;
                    INSERT INTO rewardd.schema_version (version, name, breaking)
                    VALUES (\(number), '\(migration.name)', \(migration.breaking));
                END IF;
                IF \(recordsObjects) THEN
                    drift := rewardd._schema_drift();
                END IF;
                EXECUTE \(quote)
            \(migration.sql)
            \(quote);
                IF version_before = 0 THEN
                    INSERT INTO rewardd.schema_version (version, name, breaking)
                    VALUES (\(number), '\(migration.name)', \(migration.breaking));
                END IF;
                -- What the schema should be from now on; rewardd.check_schema compares.
                IF \(recordsObjects) THEN
                    PERFORM rewardd._record_objects(drift);
                END IF;
                PERFORM set_config('role', role_before, true);
            END
            $rewardd_migration$;
            """
    }
}
