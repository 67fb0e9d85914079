import ArgumentParsing
import Glibc
import JSONReading
import Postgres

/// Follows one job to its end.
///
/// On a terminal it draws one line that changes; otherwise it prints one JSON object for every
/// change. It asks the database twice a second rather than waiting for notifications, so it works
/// through a connection pooler and with read rights alone.
struct JobWatcher {
    /// Milliseconds between two looks.
    static let pollMilliseconds: Int32 = 500
    /// How long a lost database is tried again before watching fails.
    static let patience = Duration.seconds(600)

    let id: Int64
    /// When to give up waiting, with the time allowed for the message.
    let deadline: (at: ContinuousClock.Instant, allowed: Duration)?

    /// Watches until the job ends, the deadline passes or Ctrl-C is pressed.
    ///
    /// - Returns: Success when every item was judged, failure when the job or an item failed,
    ///   otherwise timeout or interruption.
    func run(_ first: SQLAPI, _ context: CommandContext) throws -> ExitCode {
        Interruption.install()
        let drawsBar =
            context.terminal.outputColumns != nil && context.terminal.messageColumns != nil
        var api = first
        var rate = RateEstimate()
        var last: JobSummary?
        var training: TrainingStatus?
        var lastEvent: Int64?
        defer { if drawsBar { context.terminal.clearStatus() } }
        while true {
            guard let look = try look(&api, after: lastEvent, context) else {
                throw CommandFailure(.notFound, "job \(id): not found.")
            }
            let row = look.row
            let job = JobSummary(row)
            rate.note(done: job.itemsFinished, at: .now)
            for report in look.progress {
                let progress = TrainingStatus(report, keeping: training?.validation)
                training = progress
                if !drawsBar { try context.output.line(progress.event(job: id).json) }
            }
            lastEvent = training?.eventID ?? 0
            if drawsBar {
                context.terminal.status(Self.line(job, rate, training))
            } else if job != last {
                try context.output.line(Self.event(job).json)
            }
            try context.output.flush()
            last = job
            if job.isFinal {
                if drawsBar { context.terminal.clearStatus() }
                context.say(Self.ending(job, row))
                return job.isSuccess ? .success : .failure
            }
            if let code = wait(job, context, drawsBar) { return code }
        }
    }

    /// Sleeps until the next look; a code when there is none.
    private func wait(
        _ job: JobSummary,
        _ context: CommandContext,
        _ drawsBar: Bool
    ) -> ExitCode? {
        if !Interruption.isRequested { Interruption.sleep(milliseconds: Self.pollMilliseconds) }
        if Interruption.isRequested {
            if drawsBar { context.terminal.clearStatus() }
            context.say(
                """
                Stopped watching; job \(id) goes on. 'rewardctl watch \(id)' watches it again, \
                'rewardctl cancel \(id)' stops it.
                """
            )
            return .interrupted
        }
        if let deadline, deadline.at <= .now {
            if drawsBar { context.terminal.clearStatus() }
            context.say(
                """
                Error: job \(id) is \(job.state) after \(DurationText.describe(deadline.allowed)): \
                \(NumberText.grouped(job.itemsFinished)) of \
                \(NumberText.counted(job.itemsTotal, "item")) finished. It goes on.
                """
            )
            return .timedOut
        }
        return nil
    }

    /// What one look at the job shows.
    private struct Look {
        /// The job's row.
        let row: JSONNode
        /// What a training reported since the last look; at the first one its latest report.
        let progress: [JSONNode]
    }

    /// Looks at the job, nil when there is none; opens the database again when the connection is
    /// lost.
    private func look(
        _ api: inout SQLAPI,
        after event: Int64?,
        _ context: CommandContext
    ) throws -> Look? {
        let giveUp = ContinuousClock.now + Self.patience
        var pause: Int32 = 1000
        while true {
            do throws(PostgresError) {
                guard let row = try api.job(id) else { return nil }
                guard JobSummary(row).isTraining else { return Look(row: row, progress: []) }
                return Look(
                    row: row,
                    progress: try api.progress(
                        job: id,
                        after: event ?? 0,
                        limit: event == nil ? 1 : 1000
                    )
                )
            } catch {
                guard error.isConnectionLost, ContinuousClock.now < giveUp else { throw error }
                if pause == 1000 { context.say("The database went away; trying again.") }
            }
            repeat {
                Interruption.sleep(milliseconds: pause)
                pause = min(pause * 2, 30_000)
                if let deadline, deadline.at <= .now { break }
                if Interruption.isRequested || ContinuousClock.now >= giveUp { break }
                if let opened = try? context.connect() {
                    api = opened
                    break
                }
            } while true
            if Interruption.isRequested {
                throw CommandFailure(.interrupted, "stopped watching; job \(id) goes on.")
            }
        }
    }

    // MARK: - Texts

    private static func line(
        _ job: JobSummary,
        _ rate: RateEstimate,
        _ training: TrainingStatus?
    ) -> String {
        if job.isTraining {
            return (["job \(job.id)", job.state] + (training?.statusParts ?? []))
                .joined(separator: "  ")
        }
        var parts = [
            "job \(job.id)", job.state,
            ProgressBar.bar(done: job.itemsFinished, total: job.itemsTotal),
            "\(NumberText.grouped(job.itemsFinished))/\(NumberText.grouped(job.itemsTotal))",
            ProgressBar.percent(done: job.itemsFinished, total: job.itemsTotal),
        ]
        if let perSecond = rate.itemsPerSecond {
            parts.append(NumberText.rate(perSecond: perSecond))
        }
        if let left = rate.timeLeft(remaining: job.itemsTotal - job.itemsFinished) {
            parts.append("ETA \(DurationText.describe(left))")
        }
        if job.itemsFailed > 0 { parts.append("\(NumberText.grouped(job.itemsFailed)) failed") }
        return parts.joined(separator: "  ")
    }

    private static func event(_ job: JobSummary) -> JSONNode {
        .object([
            "job_id": .int(job.id), "state": .string(job.state),
            "items_total": .int(job.itemsTotal), "items_done": .int(job.itemsDone),
            "items_failed": .int(job.itemsFailed),
        ])
    }

    private static func ending(_ job: JobSummary, _ row: JSONNode) -> String {
        var text = "Job \(job.id) \(job.state)"
        if job.isTraining {
            text += job.itemsDone > 0 ? ": the model is made" : ": no model was made"
        } else {
            text += ": \(NumberText.counted(job.itemsDone, "item")) judged"
            if job.itemsFailed > 0 { text += ", \(NumberText.grouped(job.itemsFailed)) failed" }
        }
        if let seconds = row["_running"]?.double, seconds.isFinite, seconds >= 0 {
            text += ", in \(DurationText.describe(.seconds(seconds.rounded())))"
        }
        if let error = row["error"]?.text { text += " (\(error))" }
        text += "."
        if job.itemsFailed > 0 { text += " 'rewardctl describe job \(job.id)' says why." }
        return text
    }
}
