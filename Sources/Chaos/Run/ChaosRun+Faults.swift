import FailPoints
import Glibc
import Postgres
import Staging
import SyntheticScenes

/// Doing what a fault says, to processes, connections and the server.
extension ChaosRun {
    /// Does one fault. What it starts and does not end (a frozen daemon, a paused queue) ends in a later
    /// ``step(note:)``.
    func perform(_ fault: Fault) throws {
        let answersBefore = answers
        let begin = now
        guard try happens(fault) else {
            report.missed += 1
            return
        }
        report.faults[fault.kind, default: 0] += 1
        let end =
            switch fault.kind {
            case .freeze: begin + fault.seconds
            case .silence: begin + min(fault.seconds, RepeatAllowance.fenceSeconds)
            default: now
            }
        allowance.happened(fault.kind, answers: answersBefore, end: end)
    }

    private func happens(_ fault: Fault) throws -> Bool {
        let fleet = stage.fleet
        switch fault.kind {
        case .kill: return fleet.kill(fault.target, at: now, pause: fault.seconds)
        case .freeze: return fleet.freeze(fault.target, at: now, seconds: fault.seconds)
        case .drain: return fleet.drain(fault.target, at: now, pause: fault.seconds)
        case .trap:
            return fleet.drain(fault.target, at: now, pause: 0.1, trap: trap(of: fault))
        case .reply: return loseReplies(fault)
        case .silence:
            var random = random(of: fault)
            let ways = FaultProxy.Silence.allCases
            let way = ways[random.below(ways.count)]
            return fleet.silence(fault.target, way, at: now, seconds: fault.seconds)
        case .cut: return cutSessions(fault.target)
        case .crash: return try crashServer(seconds: fault.seconds)
        case .cancel: return cancelJobs(fault)
        case .force: return forceJobs(fault)
        case .hold: return holdJobs(fault)
        case .pause: return pauseQueue(fault)
        case .retry: return retryJobs(fault)
        }
    }

    // MARK: - Parts

    /// A fail point, its pass within what a daemon reaches in seconds, and what happens there.
    private func trap(of fault: Fault) -> DaemonSlot.Trap {
        var random = random(of: fault)
        let point = FailPoint.allCases[random.below(FailPoint.allCases.count)]
        let reach =
            switch point {
            case .registerAfter: 1
            case .heartbeatBefore, .heartbeatAfter: 2
            case .claimBeforeCommit, .claimAfter: 3
            case .finishBeforeCommit, .finishAfter, .rescueBefore, .rescueAfter: 4
            case .checkpointBeforeCommit, .checkpointAfter, .answerBefore, .answerAfter: 20
            }
        let freezes = random.below(3) == 0
        return DaemonSlot.Trap(
            point: point,
            pass: 1 + random.below(reach),
            effect: freezes ? .freeze : .kill,
            // Past the lease of 15 s.
            seconds: freezes ? random.between(16.5, 19) : fault.seconds
        )
    }

    private func loseReplies(_ fault: Fault) -> Bool {
        var random = random(of: fault)
        let statements = [
            "COMMIT", "rewardd.claim_shards", "rewardd.checkpoint", "rewardd.checkpoint",
            "rewardd.finish_shard", "rewardd.heartbeat", "rewardd.rescue",
            "rewardd.find_judgements", "rewardd.hold_daemon_lock", "rewardd.register_daemon",
        ]
        return stage.fleet.loseReplies(
            fault.target,
            after: statements[random.below(statements.count)],
            times: 1 + random.below(4)
        )
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
        stage.fleet.wasDisturbed(at: now)
        return (count ?? 0) > 0
    }

    private func crashServer(seconds: Double) throws -> Bool {
        sentinel.isSuspended = true
        defer { sentinel.isSuspended = false }
        // Somebody else may have been faster.
        do {
            if stage.cluster.isRunning { try stage.cluster.crash() }
        } catch {
            guard !stage.cluster.isRunning else { throw error }
        }
        stage.fleet.wasDisturbed(at: now)
        let back = now + seconds
        while now < back {
            try step(note: "the server is down")
        }
        try stage.cluster.startPatiently()
        stage.fleet.wasDisturbed(at: now)
        return true
    }

    /// What a fault draws that its plan does not say.
    func random(of fault: Fault) -> SeededRandom {
        SeededRandom(path: [plan.seed, 5, UInt64(fault.round), UInt64(fault.target)])
    }
}
