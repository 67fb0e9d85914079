import JSONReading
import Postgres

/// What is submitted again and again, and when.
struct ScheduleRequest: Sendable {
    var name: String
    var cron: String
    var timeZone: String
    var misfire: String
    var overlap: String
    var replaces: Bool
    /// What each slot submits; its time and key have no meaning here.
    var submission: EnqueueRequest
}

// MARK: - Schedules

extension SQLAPI {
    /// Makes or changes a schedule.
    ///
    /// - Returns: What happened (`created`, `unchanged` or `replaced`) and when it comes next, nil
    ///   while it is paused.
    func createSchedule(_ request: ScheduleRequest) throws -> (outcome: String, next: String?) {
        try connection.transaction { connection in
            let outcome = try create(request, connection)
            let next = try schedules(names: [request.name]).first?["next_slot"]?.text
            return (outcome, next)
        }
    }

    /// Checks a schedule as `createSchedule` does and takes it back.
    ///
    /// - Returns: What would have happened.
    func tryCreateSchedule(_ request: ScheduleRequest) throws -> String {
        try connection.execute("BEGIN")
        // The connection ends with the command: a failed rollback leaves nothing behind.
        defer { _ = try? connection.execute("ROLLBACK") }
        return try create(request, connection)
    }

    private func create(
        _ request: ScheduleRequest,
        _ connection: Connection
    ) throws(PostgresError) -> String {
        let submission = request.submission
        return try connection.execute(
            """
            SELECT rewardd.create_schedule(
                name => \(request.name), cron => \(request.cron),
                kind => \(submission.kind), items => \(json: submission.items)::jsonb,
                task => \(submission.task), model => \(submission.model),
                options => \(json: submission.options)::jsonb, queue => \(submission.queue),
                priority => \(submission.priority)::int, time_zone => \(request.timeZone),
                misfire => \(request.misfire), overlap => \(request.overlap),
                replace => \(request.replaces)) AS outcome
            """
        ).only().text("outcome")
    }

    /// The next times of an expression.
    func slots(cron: String, timeZone: String, count: Int) throws(PostgresError) -> [String] {
        try connection.execute(
            """
            WITH RECURSIVE s (n, slot) AS (
                SELECT 1, rewardd.next_slot(\(cron), \(timeZone))
                UNION ALL
                SELECT n + 1, rewardd.next_slot(\(cron), \(timeZone), slot) FROM s
                WHERE n < \(count)::int
            )
            SELECT to_char(slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS slot
            FROM s ORDER BY n
            """
        ).map { row throws(PostgresError) in try row.text("slot") }
    }

    /// Schedules by name.
    func schedules(names: [String] = []) throws(PostgresError) -> [JSONNode] {
        let names = names.isEmpty ? nil : names
        return try rows(
            """
            SELECT row_to_json(r) AS row FROM (
                SELECT name, cron, time_zone, misfire, overlap, \(raw: Self.nextSlot),
                    \(raw: Self.waitingSlot), \(raw: Self.pausedAt), \(raw: Self.lastSlot),
                    last_outcome, last_reason, last_job, last_job_state, kind, task, model, queue,
                    priority, items_total, submitted_by, \(raw: Self.createdAt), options,
                    extract(epoch FROM now() - last_slot)::float8 AS _last_age
                FROM rewardd.schedule_status
                WHERE \(names)::text[] IS NULL OR name = ANY (\(names)::text[])
                ORDER BY name
            ) r
            """
        )
    }

    /// Removes a schedule; its jobs stay.
    func dropSchedule(_ name: String) throws(PostgresError) {
        try connection.execute("SELECT rewardd.drop_schedule(\(name))")
    }

    /// Stops enqueuing for a schedule.
    func pauseSchedule(_ name: String) throws(PostgresError) {
        try connection.execute("SELECT rewardd.pause_schedule(\(name))")
    }

    /// Goes on with a paused schedule at its next time.
    func resumeSchedule(_ name: String) throws(PostgresError) {
        try connection.execute("SELECT rewardd.resume_schedule(\(name))")
    }

    /// Enqueues the submission of a schedule now.
    ///
    /// - Returns: The number of the job.
    func runSchedule(_ name: String) throws(PostgresError) -> Int64 {
        try connection.execute("SELECT rewardd.run_schedule(\(name)) AS id").only().int64("id")
    }

    private static let nextSlot: StaticString = """
        to_char(next_slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS next_slot
        """
    private static let waitingSlot: StaticString = """
        to_char(waiting_slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS waiting_slot
        """
    private static let lastSlot: StaticString = """
        to_char(last_slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS last_slot
        """
}
