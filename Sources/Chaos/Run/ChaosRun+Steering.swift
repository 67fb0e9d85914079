import Postgres
import SyntheticScenes

/// A job that is held for a moment.
struct HeldJob {
    let job: Int64
    let until: Double
    /// Cancelled by force at its end instead of released.
    let isForced: Bool
}

/// Faults that submitters and operators make: they steer jobs and queues, in storms.
extension ChaosRun {
    /// Cancels one to three live jobs.
    func cancelJobs(_ fault: Fault) -> Bool {
        stopJobs(fault) { connection, job, reason in
            try connection.execute("SELECT rewardd.cancel(\(job), \(reason))").count
        }
    }

    /// Cancels one to three live jobs by force.
    func forceJobs(_ fault: Fault) -> Bool {
        stopJobs(fault) { connection, job, reason in
            try connection.execute("SELECT rewardd.cancel(\(job), \(reason), force => true)").count
        }
    }

    private func stopJobs(
        _ fault: Fault,
        _ body: (Connection, Int64, String) throws -> Int
    ) -> Bool {
        var random = random(of: fault)
        let live = jobs(where: "live")
        guard !live.isEmpty else { return false }
        for turn in 0..<(1 + random.below(3)) {
            let job = live[random.below(live.count)]
            let client = random.below(3) == 0 ? jobOperator : submitter
            let reason = "fault \(turn) of round \(fault.round)"
            _ = client.attempt { try body($0, job, reason) }
        }
        return true
    }

    /// Holds two to five live jobs, every third of them to be cancelled by force instead of released.
    func holdJobs(_ fault: Fault) -> Bool {
        var random = random(of: fault)
        let live = jobs(where: "live")
        guard !live.isEmpty else { return false }
        for _ in 0..<(2 + random.below(4)) {
            let job = live[random.below(live.count)]
            _ = submitter.attempt { connection in
                try connection.execute("SELECT rewardd.hold(\(job))").count
            }
            // Also when the answer was lost: the job may be held.
            let until = now + fault.seconds * random.between(0.2, 1)
            held.removeAll { $0.job == job }
            held.append(HeldJob(job: job, until: until, isForced: random.below(3) == 0))
        }
        return true
    }

    /// Releases or cancels the held jobs whose time has come; the call is repeated until it is answered.
    func endHolds() throws {
        for hold in held where now >= hold.until {
            let isOver = jobOperator.settle { connection in
                if hold.isForced {
                    try connection.execute("SELECT rewardd.cancel(\(hold.job), force => true)")
                } else {
                    try connection.execute("SELECT rewardd.release(\(hold.job))")
                }
            }
            if isOver { held.removeAll { $0.job == hold.job } }
        }
    }

    /// Pauses a queue.
    func pauseQueue(_ fault: Fault) -> Bool {
        let queue = Workload.queues[fault.target % Workload.queues.count]
        let done = jobOperator.attempt { connection in
            try connection.execute("SELECT rewardd.pause_queue(\(queue))").count
        }
        // Also when the answer was lost: the pause may hold.
        paused.removeAll { $0.queue == queue }
        paused.append((queue, now + fault.seconds))
        return done != nil
    }

    /// Opens the paused queues whose time has come; the call is repeated until it is answered.
    func resumeQueues() throws {
        for (queue, until) in paused where now >= until {
            let isOpen = jobOperator.attempt { connection in
                try connection.execute("SELECT rewardd.resume_queue(\(queue))").count
            }
            if isOpen != nil { paused.removeAll { $0.queue == queue } }
        }
    }

    /// Retries jobs that ended with something left to do, and cancels every second of them at once.
    func retryJobs(_ fault: Fault) -> Bool {
        var random = random(of: fault)
        let ended = jobs(where: "ended")
        guard !ended.isEmpty else { return false }
        for turn in 0..<(1 + random.below(4)) {
            let job = ended[random.below(ended.count)]
            _ = submitter.attempt { connection in
                try connection.execute("SELECT rewardd.retry(\(job))").count
            }
            guard turn % 2 == 1 else { continue }
            _ = jobOperator.attempt { connection in
                try connection.execute("SELECT rewardd.cancel(\(job), 'at once')").count
            }
        }
        return true
    }

    /// The submitter's live jobs, or its ended ones of which something is left to do.
    private func jobs(where condition: String) -> [Int64] {
        let found = submitter.attempt { connection in
            try connection.execute(
                """
                SELECT s.job_id
                FROM rewardd.job_status s
                WHERE CASE \(condition)::text WHEN 'live' THEN s.finished_at IS NULL
                    ELSE s.finished_at IS NOT NULL AND s.items_done < s.items_total END
                ORDER BY s.job_id
                """
            ).map { try $0.int64("job_id") }
        }
        return found ?? []
    }
}
