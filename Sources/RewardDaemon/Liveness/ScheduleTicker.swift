import Jobs
import Logging
import Postgres

/// Asks the database once a second to enqueue what schedules have come due.
///
/// Every daemon does; the database sees to it that each slot is enqueued once. The connection and its
/// thread are the ticker's own: enqueueing a million items takes many seconds, for which neither a
/// heartbeat nor a checkpoint may wait.
struct ScheduleTicker: Sendable {
    private static let period: Duration = .seconds(1)
    /// Longest run of one call; what it had done is then undone and due still.
    private static let statementTimeout: Duration = .seconds(600)

    private let queue: JobQueue
    private let logger: Logger

    init(url: String, logger: Logger) {
        var options = ConnectionOptions()
        options.statementTimeout = Self.statementTimeout
        options.answerTimeout = Self.statementTimeout + .seconds(10)
        let session = Session(
            url: url,
            applicationName: "rewardd schedules",
            name: "pg-schedules",
            options: options,
            logger: logger
        )
        queue = JobQueue(session: session)
        self.logger = logger
    }

    /// Ticks until the task is cancelled.
    func run() async {
        var isFailing = false
        while !Task.isCancelled {
            do {
                var slots = 0
                while let handled = try await next(), handled > 0 { slots += handled }
                if slots > 0 { logger.info("schedules ran", ["slots": LogValue(slots)]) }
                isFailing = false
            } catch {
                // Once, not every second; the session itself reports the loss of its connection.
                if !isFailing { logger.warning("schedules not run", ["error": LogValue(error)]) }
                isFailing = true
            }
            try? await Task.sleep(for: Self.period)
        }
        await queue.session.close()
    }

    /// The slots of one call, or nil once the task is cancelled.
    private func next() async throws -> Int? {
        Task.isCancelled ? nil : try await queue.runDueSchedules()
    }
}
