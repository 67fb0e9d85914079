import Postgres

extension JobQueue {
    /// Enqueues what schedules have come due and returns the number of slots dealt with. Tried once:
    /// what was not done is due still, and each slot is enqueued once whoever asks.
    package func runDueSchedules() async throws -> Int {
        try await session.run { connection in
            try connection.execute("SELECT rewardd.run_due_schedules() AS slots").only()
                .int("slots")
        }
    }
}
