import JSONReading
import Postgres

// MARK: - Doctor

/// What `rewardctl doctor` asks: functions of the schema, and the server's own views. Each
/// statement only reads.
extension SQLAPI {
    /// What of the schema is not as the migrations left it: see `SchemaFault`.
    func schemaFaults() throws(PostgresError) -> [JSONNode] {
        try rows("SELECT row_to_json(r) AS row FROM rewardd.check_schema() r")
    }

    /// The shards that are stuck: fault, job_id, shard_id, daemon_id, and for how many seconds.
    func shardFaults(patience: Duration) throws(PostgresError) -> [JSONNode] {
        let seconds = patience / .seconds(1)
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT fault, job_id, shard_id, daemon_id,
                    extract(epoch FROM clock_timestamp() - since)::float8 AS _age
                FROM rewardd.check_shards(make_interval(secs => \(seconds)::float8))
            ) r
            """
        )
    }

    /// Waiting work that nobody will take: fault, queue, model, shards, and for how many seconds.
    func queueFaults() throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT fault, queue, model, shards,
                    extract(epoch FROM clock_timestamp() - since)::float8 AS _age
                FROM rewardd.check_queues()
            ) r
            """
        )
    }

    /// The version that the schema's own function tells.
    func toldSchemaVersion() throws(PostgresError) -> Int {
        try connection.execute("SELECT coalesce(rewardd.schema_version(), 0) AS version").only()
            .int("version")
    }

    /// Whether this role sees what the sessions of other roles do.
    func seesSessions() throws(PostgresError) -> Bool {
        try connection.execute(
            "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees"
        ).only().bool("sees")
    }

    /// Sessions whose transaction has been open for longer than `limit`, as far as this role sees
    /// them: pid, user, application, state, age, and how to end each.
    func oldTransactions(limit: Duration) throws(PostgresError) -> [JSONNode] {
        let seconds = limit / .seconds(1)
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT a.pid, a.usename AS user, a.application_name AS application, a.state,
                    extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS _age,
                    format('SELECT pg_terminate_backend(%s)', a.pid) AS statement
                FROM pg_catalog.pg_stat_activity a
                WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
                    AND a.backend_type = 'client backend'
                    -- One that has not taken a snapshot or a number yet soon may.
                    AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL
                        OR a.state LIKE 'idle in transaction%')
                    AND a.xact_start < clock_timestamp()
                        - make_interval(secs => \(seconds)::float8)
                ORDER BY a.xact_start
            ) r
            """
        )
    }

    /// Prepared transactions older than `limit`: gid, owner, age, and how to end each.
    func oldPreparedTransactions(limit: Duration) throws(PostgresError) -> [JSONNode] {
        let seconds = limit / .seconds(1)
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT x.gid, x.owner,
                    extract(epoch FROM clock_timestamp() - x.prepared)::float8 AS _age,
                    format('ROLLBACK PREPARED %L', x.gid) AS statement
                FROM pg_catalog.pg_prepared_xacts x
                WHERE x.database = current_database() AND x.prepared < clock_timestamp()
                    - make_interval(secs => \(seconds)::float8)
                ORDER BY x.prepared
            ) r
            """
        )
    }

    /// Replication slots that hold dead rows back and are not read, or lag by over a million
    /// transactions: name, whether active, lag in transactions, and how to drop each.
    func holdingSlots() throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT s.slot_name AS name, s.active,
                    age(coalesce(s.xmin, s.catalog_xmin)) AS transactions,
                    s.xmin IS NULL AS catalog_only,
                    format('SELECT pg_drop_replication_slot(%L)', s.slot_name) AS statement
                FROM pg_catalog.pg_replication_slots s
                WHERE coalesce(s.xmin, s.catalog_xmin) IS NOT NULL
                    AND (s.database IS NULL OR s.database = current_database())
                    AND (NOT s.active OR age(coalesce(s.xmin, s.catalog_xmin)) > 1000000)
                ORDER BY s.slot_name
            ) r
            """
        )
    }

    /// Tables whose dead rows are many beside what autovacuum lets gather, or that it leaves out:
    /// name, live, dead, when autovacuum starts, whether it is on, and for how many seconds ago
    /// vacuum last ran.
    func neglectedTables() throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT t.relname AS name, t.n_live_tup AS live, t.n_dead_tup AS dead,
                    ceil(v.threshold)::bigint AS threshold, v.is_on,
                    extract(epoch FROM clock_timestamp()
                        - greatest(t.last_vacuum, t.last_autovacuum))::float8 AS _vacuum_age
                FROM pg_catalog.pg_stat_all_tables t
                JOIN pg_catalog.pg_class c ON c.oid = t.relid
                CROSS JOIN LATERAL (
                    SELECT coalesce(max(o.option_value)
                            FILTER (WHERE o.option_name = 'autovacuum_enabled'), 'on')::boolean
                            AS is_on,
                        coalesce(max(o.option_value)
                            FILTER (WHERE o.option_name = 'autovacuum_vacuum_threshold'),
                            current_setting('autovacuum_vacuum_threshold'))::float8
                        + coalesce(max(o.option_value)
                            FILTER (WHERE o.option_name = 'autovacuum_vacuum_scale_factor'),
                            current_setting('autovacuum_vacuum_scale_factor'))::float8
                            * t.n_live_tup AS threshold
                    FROM pg_catalog.pg_options_to_table(c.reloptions) o
                ) AS v
                WHERE t.schemaname = 'rewardd'
                    AND (NOT v.is_on OR t.n_dead_tup > greatest(10000, 5 * v.threshold))
                ORDER BY t.n_dead_tup DESC
            ) r
            """
        )
    }

    /// Settings without which no table is vacuumed, and that are off.
    func vacuumSettingsOff() throws(PostgresError) -> [String] {
        try connection.execute(
            """
            SELECT s.name AS name FROM unnest(ARRAY['autovacuum', 'track_counts']) AS s (name)
            WHERE NOT current_setting(s.name)::boolean
            """
        ).map { row throws(PostgresError) in try row.text("name") }
    }

    /// The server's clock in seconds since 1970.
    func serverTime() throws(PostgresError) -> Double {
        try connection.execute(
            "SELECT extract(epoch FROM clock_timestamp())::float8 AS seconds"
        ).only().double("seconds")
    }

    /// Connections now, and how many ordinary roles may have.
    func connections() throws(PostgresError) -> (used: Int, limit: Int) {
        let row = try connection.execute(
            """
            SELECT coalesce(sum(d.numbackends), 0)::int AS used,
                current_setting('max_connections')::int
                    - current_setting('superuser_reserved_connections')::int AS allowed
            FROM pg_catalog.pg_stat_database d
            """
        ).only()
        return (used: try row.int("used"), limit: try row.int("allowed"))
    }

    /// Sends a notification to a connection that listens.
    ///
    /// - Returns: Whether it arrived within `patience`.
    func notificationArrives(
        at listener: SQLAPI,
        within patience: Duration
    ) throws(PostgresError) -> Bool {
        let channel = "rewardd_doctor_\(listener.connection.backendPID)"
        try listener.connection.listen(channel)
        try connection.execute("SELECT pg_notify(\(channel), '')")
        let deadline = ContinuousClock.now + patience
        while true {
            let arrived = try listener.connection.waitForNotification(
                timeout: deadline - ContinuousClock.now
            )
            if arrived.isEmpty { return false }
            if arrived.contains(where: { $0.channel == channel }) { return true }
        }
    }
}
