import JSONReading
import Postgres

/// Every statement this tool may run: functions and views of schema `rewardd`, nothing else.
///
/// Rows come back as JSON objects made by the server, so their members are the interface of
/// `--output json` as they are. Members that start with `_` are for tables only. Times are RFC 3339
/// in UTC whatever the session's time zone is.
struct SQLAPI {
    /// Items whose rows are fetched at once where there may be millions.
    ///
    /// A page is a range of item numbers, not a LIMIT: the views are security barriers, under which
    /// the planner joins and sorts the whole job for every LIMIT (5 s a page at a million items).
    static let pageSize: Int64 = 1000

    let connection: Connection

    /// Opens the database; statements may take as long as they need.
    ///
    /// - Throws: `PostgresError` when it cannot be reached.
    init(url: String) throws(PostgresError) {
        connection = try Connection(url: url, applicationName: "rewardctl", options: .patient)
    }

    // MARK: - Submitting

    /// Adds a job.
    ///
    /// - Returns: Its number, and whether it is new rather than an earlier one with the same key.
    func enqueue(_ request: EnqueueRequest) throws -> (id: Int64, isNew: Bool) {
        try connection.transaction { connection in
            let id = try enqueue(request, connection)
            let row = try connection.execute(
                "SELECT created_at >= now() AS is_new FROM rewardd.job_status WHERE job_id = \(id)"
            ).first
            let isNew = try row?.bool("is_new") ?? true
            if isNew, let seconds = request.deadlineSeconds {
                try connection.execute(
                    """
                    SELECT rewardd.set_deadline(job_id, run_at + make_interval(
                        secs => \(seconds)::double precision))
                    FROM rewardd.job_status WHERE job_id = \(id)
                    """
                )
            }
            return (id, isNew)
        }
    }

    /// Checks a job as `enqueue` does and takes it back.
    func tryEnqueue(_ request: EnqueueRequest) throws {
        try connection.execute("BEGIN")
        // The connection ends with the command: a failed rollback leaves nothing behind.
        defer { _ = try? connection.execute("ROLLBACK") }
        _ = try enqueue(request, connection)
    }

    private func enqueue(
        _ request: EnqueueRequest,
        _ connection: Connection
    ) throws(PostgresError) -> Int64 {
        let moment = request.runAt.map { Double($0) }
        return try connection.execute(
            """
            SELECT rewardd.enqueue(
                kind => \(request.kind), items => \(json: request.items)::jsonb,
                task => \(request.task), model => \(request.model),
                options => \(json: request.options)::jsonb, queue => \(request.queue),
                priority => \(request.priority)::int,
                run_at => coalesce(
                    to_timestamp(\(moment)::double precision),
                    now() + make_interval(secs => \(request.delaySeconds)::double precision)),
                idempotency_key => \(request.key)) AS id
            """
        ).only().int64("id")
    }

    /// Stores a file for items to name by its digest.
    ///
    /// - Returns: The SHA-256 of the bytes in hexadecimal.
    func putMedia(_ bytes: [UInt8]) throws(PostgresError) -> String {
        try connection.execute("SELECT rewardd.put_media(\(bytes)) AS digest").only().text("digest")
    }

    // MARK: - Lists

    /// One job, or nil when there is none that this role may see.
    func job(_ id: Int64) throws(PostgresError) -> JSONNode? {
        try jobs(JobFilter(ids: [id])).first
    }

    /// Jobs, newest first.
    func jobs(_ filter: JobFilter) throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT job_id, kind, task, model, queue, priority, state, items_total, items_done,
                    items_failed, shards_total, shards_running, submitted_by, idempotency_key,
                    \(raw: Self.createdAt), \(raw: Self.runAt), \(raw: Self.startedAt),
                    \(raw: Self.finishedAt), error, options, \(raw: Self.deadlineAt),
                    extract(epoch FROM now() - created_at)::float8 AS _age,
                    extract(epoch FROM run_at - now())::float8 AS _wait,
                    extract(epoch FROM coalesce(finished_at, now()) - started_at)::float8 AS _running
                FROM rewardd.job_status
                WHERE (\(filter.ids)::bigint[] IS NULL OR job_id = ANY (\(filter.ids)::bigint[]))
                    AND (\(filter.states)::text[] IS NULL
                        OR state::text = ANY (\(filter.states)::text[]))
                    AND (\(filter.queues)::text[] IS NULL
                        OR queue = ANY (\(filter.queues)::text[]))
                    AND (\(filter.kinds)::text[] IS NULL OR kind = ANY (\(filter.kinds)::text[]))
                ORDER BY job_id DESC
                LIMIT \(filter.limit)::bigint
            ) r
            """
        )
    }

    /// Daemons, oldest first.
    func daemons(
        ids: [Int64] = [],
        includingStopped: Bool = false
    ) throws(PostgresError) -> [JSONNode] {
        let ids = ids.isEmpty ? nil : ids
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT daemon_id, state, host, pid, version, models, queues, shards_running, idle,
                    draining, stop_reason,
                    \(raw: Self.startedAt), \(raw: Self.beatAt), \(raw: Self.stoppedAt),
                    extract(epoch FROM coalesce(stopped_at, now()) - started_at)::float8 AS _age,
                    extract(epoch FROM now() - beat_at)::float8 AS _beat_age
                FROM rewardd.daemon_status
                WHERE (\(ids)::bigint[] IS NULL OR daemon_id = ANY (\(ids)::bigint[]))
                    AND (\(includingStopped)::boolean OR stopped_at IS NULL)
                ORDER BY daemon_id
            ) r
            """
        )
    }

    /// Models made by train jobs, by name and the newest of each first.
    func models(
        names: [String] = [],
        includingReplaced: Bool = false
    ) throws(PostgresError) -> [JSONNode] {
        let names = names.isEmpty ? nil : names
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT name, digest, base, base_digest, host, directory, job_id, replaced, daemons,
                    \(raw: Self.createdAt),
                    extract(epoch FROM now() - created_at)::float8 AS _age
                FROM rewardd.model_status m
                WHERE (\(names)::text[] IS NULL OR name = ANY (\(names)::text[]))
                    AND (\(includingReplaced)::boolean OR NOT replaced)
                ORDER BY name, m.created_at DESC
            ) r
            """
        )
    }

    // MARK: - One job in detail

    /// Results of one page of items from `item` on, in the order of the items.
    func results(
        job: Int64,
        from item: Int64,
        failedOnly: Bool
    ) throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT item_index, item_id, state, result, error_code, error, \(raw: Self.createdAt)
                FROM rewardd.result
                WHERE job_id = \(job) AND item_index >= \(item)
                    AND item_index < \(item + Self.pageSize)
                    AND (NOT \(failedOnly)::boolean OR state::text = 'failed')
                ORDER BY item_index
            ) r
            """
        )
    }

    /// Preference pairs of one page of items from `item` on, in the order of the items.
    func pairs(job: Int64, from item: Int64) throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT p.item_index, p.item_id, i.payload - 'candidates' - 'id' AS input,
                    p.chosen_index, p.rejected_index, p.chosen, p.rejected, p.chosen_score,
                    p.rejected_score, p.margin, p.evidence
                FROM rewardd.pair p
                JOIN rewardd.job_item i ON i.job_id = p.job_id AND i.item_index = p.item_index
                WHERE p.job_id = \(job) AND p.item_index >= \(item)
                    AND p.item_index < \(item + Self.pageSize)
                ORDER BY p.item_index
            ) r
            """
        )
    }

    /// How many items failed by code, and the first of each code.
    func failures(job: Int64) throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT coalesce(error_code, 'unknown') AS error_code, count(*) AS items,
                    min(item_index) AS first_item,
                    (array_agg(error ORDER BY item_index))[1] AS error
                FROM rewardd.result
                WHERE job_id = \(job) AND state::text = 'failed'
                GROUP BY 1 ORDER BY 2 DESC, 1
                LIMIT 20
            ) r
            """
        )
    }

    /// The latest events of a job but those of a training's progress, oldest first.
    func events(job: Int64, limit: Int) throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT event_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
                    AS at, type, shard_id, daemon_id, data
                FROM (
                    SELECT * FROM rewardd.job_event
                    WHERE job_id = \(job) AND type <> 'training_progress'
                    ORDER BY event_id DESC LIMIT \(limit)
                ) e
                ORDER BY event_id
            ) r
            """
        )
    }

    /// Reports of a training after the event `after`, oldest first and at most the newest `limit`.
    func progress(job: Int64, after: Int64, limit: Int) throws(PostgresError) -> [JSONNode] {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT event_id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
                    AS at, data
                FROM (
                    SELECT * FROM rewardd.job_event
                    WHERE job_id = \(job) AND type = 'training_progress' AND event_id > \(after)
                    ORDER BY event_id DESC LIMIT \(limit)
                ) e
                ORDER BY event_id
            ) r
            """
        )
    }

    /// The latest report of a training that has a validation, if any.
    func validation(job: Int64) throws(PostgresError) -> JSONNode? {
        try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT event_id, data FROM rewardd.job_event
                WHERE job_id = \(job) AND type = 'training_progress' AND data ? 'validation'
                ORDER BY event_id DESC LIMIT 1
            ) r
            """
        ).first
    }

    // MARK: - Changes

    /// Cancels a job; by force without waiting for its daemons.
    ///
    /// - Returns: The state it is in now.
    func cancel(job: Int64, reason: String?, force: Bool) throws(PostgresError) -> String {
        try connection.execute("SELECT rewardd.cancel(\(job), \(reason), \(force)) AS state")
            .only().text("state")
    }

    /// Sets a job aside.
    ///
    /// - Returns: The state it is in now.
    func hold(job: Int64, reason: String?) throws(PostgresError) -> String {
        try connection.execute("SELECT rewardd.hold(\(job), \(reason)) AS state")
            .only().text("state")
    }

    /// Takes up a held job again.
    ///
    /// - Returns: The state it is in now.
    func release(job: Int64) throws(PostgresError) -> String {
        try connection.execute("SELECT rewardd.release(\(job)) AS state").only().text("state")
    }

    /// Re-opens the failed items of a job.
    ///
    /// - Returns: Their number.
    func retry(job: Int64) throws(PostgresError) -> Int64 {
        try connection.execute("SELECT rewardd.retry(\(job)) AS items").only().int64("items")
    }

    /// Asks a daemon to finish what it runs and to stop.
    func drainDaemon(_ id: Int64) throws(PostgresError) {
        try connection.execute("SELECT rewardd.drain_daemon(\(id))")
    }

    // MARK: - Schema

    /// The version that a query of `MigrationPlan` finds, 0 without the schema.
    func schemaVersion(_ query: String) throws(PostgresError) -> Int {
        let result = try connection.execute(Query(script: query))
        return try result.only().int(result.columns.first ?? "")
    }

    /// Runs one statement of a `MigrationPlan`.
    func migrate(_ statement: String) throws(PostgresError) {
        try connection.executeScript(statement)
    }

    /// The rows of a query whose column `row` is a JSON object.
    func rows(_ query: Query) throws(PostgresError) -> [JSONNode] {
        var nodes: [JSONNode] = []
        for row in try connection.execute(query) {
            let bytes = try row.json("row")
            do throws(JSONSyntaxError) {
                nodes.append(try JSONReader.read(bytes))
            } catch {
                throw PostgresError(
                    .unexpectedResult,
                    "row: byte \(error.offset): \(error.message)"
                )
            }
        }
        return nodes
    }

    // MARK: - Columns

    static let createdAt: StaticString = """
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS created_at
        """
    private static let runAt: StaticString = """
        to_char(run_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS run_at
        """
    private static let startedAt: StaticString = """
        to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS started_at
        """
    private static let finishedAt: StaticString = """
        to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS finished_at
        """
    private static let deadlineAt: StaticString = """
        to_char(deadline_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS deadline_at
        """
    static let pausedAt: StaticString = """
        to_char(paused_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS paused_at
        """
    private static let beatAt: StaticString = """
        to_char(beat_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS beat_at
        """
    private static let stoppedAt: StaticString = """
        to_char(stopped_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS stopped_at
        """
}
