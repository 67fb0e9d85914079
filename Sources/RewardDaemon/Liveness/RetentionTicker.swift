import Jobs
import Logging
import Postgres

/// Asks the database once a minute to remove what the retention of queues says is too old.
///
/// Every daemon does; the database lets one at a time remove something. A call is one short transaction, and
/// calls keep some distance, so that vacuum and the checkpoints of others keep up.
struct RetentionTicker: Sendable {
    private static let period: Duration = .seconds(60)
    /// Between two calls while there is more to remove: at most 20 000 rows a second.
    private static let distance: Duration = .milliseconds(100)

    private let queue: JobQueue
    private let logger: Logger

    init(url: String, logger: Logger) {
        let session = Session(
            url: url,
            applicationName: "rewardd retention",
            name: "pg-retention",
            options: ConnectionOptions(),
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
                try await removeAll()
                isFailing = false
            } catch {
                // Once, not every minute; the session itself reports the loss of its connection.
                if !isFailing { logger.warning("nothing pruned", ["error": LogValue(error)]) }
                isFailing = true
            }
            try? await Task.sleep(for: Self.period)
        }
        await queue.session.close()
    }

    /// Removes until nothing is left or the task is cancelled.
    private func removeAll() async throws {
        var (jobs, rows) = (0, 0)
        while !Task.isCancelled {
            let removed = try await queue.prune()
            if removed.rows == 0 { break }
            jobs += removed.jobs
            rows += removed.rows
            try? await Task.sleep(for: Self.distance)
        }
        if rows > 0 {
            logger.info("pruned", ["jobs": LogValue(jobs), "rows": LogValue(rows)])
        }
    }
}
