import Postgres
import TestSupport

// MARK: - Schedules

extension QueueFixture {
    /// Makes a schedule of one `point_score` item and returns what the function said.
    ///
    /// Without an expression it is daily at a time 12 hours away, so that no test runs across it.
    func schedule(
        _ name: String,
        cron: String? = nil,
        misfire: String = "coalesce",
        overlap: String = "skip",
        queue: String = "default",
        replace: Bool = false
    ) throws -> String {
        try text(
            """
            SELECT rewardd.create_schedule(\(name), coalesce(\(cron), to_char(
                now() AT TIME ZONE 'UTC' - interval '12 hours', 'FMMI FMHH24') || ' * * *'),
                'point_score', '[{"caption": "c", "image": "a.png"}]', 'image_generation', 'm',
                queue => \(queue), misfire => \(misfire), overlap => \(overlap),
                replace => \(replace)) AS value
            """
        )
    }

    /// Makes a schedule due since 5 seconds.
    func makeDue(_ name: String) throws {
        try connection.execute(
            """
            UPDATE rewardd.schedule SET next_slot = clock_timestamp() - interval '5 seconds'
            WHERE name = \(name)
            """
        )
    }

    /// Makes a daily schedule miss its latest slot and those of so many days before.
    func makeMiss(_ name: String, days: Int) throws {
        try connection.execute(
            """
            UPDATE rewardd.schedule SET next_slot = next_slot - make_interval(days => \(days)::int + 1)
            WHERE name = \(name)
            """
        )
    }

    /// Does what a daemon's tick does; returns the number of slots dealt with.
    func runSchedules() throws -> Int {
        try number("SELECT rewardd.run_due_schedules() AS value")
    }

    /// The slots as `days outcome job: reason`, oldest first; days before the latest one.
    func slots(_ name: String) throws -> [String] {
        try list(
            """
            SELECT concat(extract(epoch FROM max(slot) OVER () - slot)::int / 86400, ' ', outcome,
                ' ' || job_id, ': ' || reason) AS value
            FROM rewardd.schedule_slot WHERE name = \(name) ORDER BY slot
            """
        )
    }

    /// The job a schedule enqueued last.
    func lastJob(_ name: String) throws -> Int {
        try number("SELECT last_job AS value FROM rewardd.schedule_status WHERE name = \(name)")
    }
}
