import JSONReading
import Postgres

// MARK: - Queues

extension SQLAPI {
    /// Queues by name.
    func queues(names: [String] = []) throws(PostgresError) -> [JSONNode] {
        let names = names.isEmpty ? nil : names
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT name, \(raw: Self.pausedAt), scheduled, ready, running, held, max_running,
                    extract(epoch FROM retention)::bigint AS retention_seconds, submitters
                FROM rewardd.queue_status
                WHERE \(names)::text[] IS NULL OR name = ANY (\(names)::text[])
                ORDER BY name
            ) r
            """
        )
    }

    /// Makes a queue, or leaves an existing one, and applies settings to it; all or nothing.
    func createQueue(_ name: String, _ settings: QueueSettings) throws {
        try connection.transaction { connection in
            try connection.execute("SELECT rewardd.create_queue(\(name))")
            try apply(settings, to: name, connection)
        }
    }

    /// Changes settings of a queue; all or nothing.
    func setQueue(_ name: String, _ settings: QueueSettings) throws {
        try connection.transaction { connection in try apply(settings, to: name, connection) }
    }

    private func apply(
        _ settings: QueueSettings,
        to name: String,
        _ connection: Connection
    ) throws(PostgresError) {
        if let change = settings.maxRunning {
            try connection.execute("SELECT rewardd.set_queue_limit(\(name), \(change.value)::int)")
        }
        if let change = settings.retention {
            let seconds = change.value.map { $0 / .seconds(1) }
            try connection.execute(
                """
                SELECT rewardd.set_queue_retention(
                    \(name), make_interval(secs => \(seconds)::float8))
                """
            )
        }
    }

    /// Stops claiming from a queue; what runs goes on.
    func pauseQueue(_ name: String) throws(PostgresError) {
        try connection.execute("SELECT rewardd.pause_queue(\(name))")
    }

    /// Claims from a paused queue again.
    func resumeQueue(_ name: String) throws(PostgresError) {
        try connection.execute("SELECT rewardd.resume_queue(\(name))")
    }

    /// Lets a role and its members submit to a queue.
    ///
    /// - Returns: Whether that is new.
    func grantQueue(_ name: String, role: String) throws(PostgresError) -> Bool {
        try connection.execute("SELECT rewardd.grant_queue(\(name), \(role)) AS is_new").only()
            .bool("is_new")
    }

    /// Takes back what `grantQueue` gave.
    ///
    /// - Returns: `revoked`, `open` (that was the last grant) or `not granted`.
    func revokeQueue(_ name: String, role: String) throws(PostgresError) -> String {
        try connection.execute("SELECT rewardd.revoke_queue(\(name), \(role)) AS outcome").only()
            .text("outcome")
    }

    // MARK: - Removing ended jobs

    /// Queues with jobs that ended longer than `age` ago: name, jobs, items, and when the oldest ended.
    func prunable(olderThan age: Duration, queue: String?) throws(PostgresError) -> [JSONNode] {
        let seconds = age / .seconds(1)
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT name, jobs, items,
                    extract(epoch FROM clock_timestamp() - since)::float8 AS _age
                FROM rewardd.prunable_jobs(make_interval(secs => \(seconds)::float8), \(queue))
            ) r
            """
        )
    }

    /// Removes some of these jobs in one short transaction.
    ///
    /// - Returns: How many are gone for good, and how many rows; 0 rows when none is left.
    func prune(olderThan age: Duration, queue: String?) throws(PostgresError) -> (
        jobs: Int64, rows: Int64
    ) {
        let seconds = age / .seconds(1)
        let row = try connection.execute(
            """
            SELECT jobs, rows
            FROM rewardd.prune_jobs(make_interval(secs => \(seconds)::float8), \(queue))
            """
        ).only()
        return (jobs: try row.int64("jobs"), rows: try row.int64("rows"))
    }

    /// Queues with jobs that should have been removed: name, jobs, and for how many seconds the oldest.
    func overdueRemovals() throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT p.name, p.jobs,
                    extract(epoch FROM clock_timestamp() - p.since - q.retention)::float8 AS _age
                FROM rewardd.prunable_jobs() p
                JOIN rewardd.queue_status q ON q.name = p.name
            ) r
            """
        )
    }
}
