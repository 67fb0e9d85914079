import Glibc
import Postgres
import Staging
import SyntheticScenes

/// Doing what a fault says.
extension ChaosRun {
    /// Does one fault. What it starts and does not end (a frozen daemon, a paused queue) ends in a later
    /// ``step(note:)``.
    func perform(_ fault: Fault) throws {
        let answersBefore = answers
        let hasHappened: Bool
        switch fault.kind {
        case .kill:
            hasHappened = stage.fleet.kill(fault.target, at: now, pause: fault.seconds)
        case .freeze:
            hasHappened = stage.fleet.freeze(fault.target, at: now, seconds: fault.seconds)
        case .drain:
            hasHappened = stage.fleet.drain(fault.target, at: now, pause: fault.seconds)
        case .cut: hasHappened = cutSessions(fault.target)
        case .crash: hasHappened = try crashServer(seconds: fault.seconds)
        case .cancel: hasHappened = cancelJobs(fault)
        case .pause: hasHappened = pauseQueue(fault)
        case .retry: hasHappened = retryJobs(fault)
        }
        guard hasHappened else {
            report.missed += 1
            return
        }
        report.faults[fault.kind, default: 0] += 1
        let end = fault.kind == .freeze ? now + fault.seconds : now
        allowance.happened(fault.kind, answers: answersBefore, end: end)
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

    /// Ends connections of the daemons: all of them, or those for work, heartbeats, notifications or
    /// schedules.
    private func cutSessions(_ choice: Int) -> Bool {
        let names = [
            "rewardd%", "rewardd", "rewardd heartbeat", "rewardd listen", "rewardd schedules",
        ]
        let name = names[choice % names.count]
        let count = superuser.attempt { connection in
            try connection.execute(
                """
                SELECT count(pg_terminate_backend(a.pid)) AS n
                FROM pg_stat_activity a
                WHERE a.application_name LIKE \(name) AND a.usename = 'chaos_worker'
                """
            ).only().int("n")
        }
        return (count ?? 0) > 0
    }

    private func crashServer(seconds: Double) throws -> Bool {
        try stage.cluster.crash()
        let back = now + seconds
        while now < back {
            try step(note: "the server is down")
        }
        try stage.cluster.start()
        return true
    }

    private func cancelJobs(_ fault: Fault) -> Bool {
        var random = random(of: fault)
        let live = jobs(where: "live")
        guard !live.isEmpty else { return false }
        for turn in 0..<(1 + random.below(3)) {
            let job = live[random.below(live.count)]
            let client = random.below(3) == 0 ? jobOperator : submitter
            let reason = "fault \(turn) of round \(fault.round)"
            _ = client.attempt { connection in
                try connection.execute("SELECT rewardd.cancel(\(job), \(reason))").count
            }
        }
        return true
    }

    private func pauseQueue(_ fault: Fault) -> Bool {
        let queue = Workload.queues[fault.target % Workload.queues.count]
        let done = jobOperator.attempt { connection in
            try connection.execute("SELECT rewardd.pause_queue(\(queue))").count
        }
        // Also when the answer was lost: the pause may hold.
        paused.removeAll { $0.queue == queue }
        paused.append((queue, now + fault.seconds))
        return done != nil
    }

    /// Retries jobs that ended with something left to do, and cancels every second of them at once.
    private func retryJobs(_ fault: Fault) -> Bool {
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

    private func random(of fault: Fault) -> SeededRandom {
        SeededRandom(path: [plan.seed, 5, UInt64(fault.round), UInt64(fault.target)])
    }
}
