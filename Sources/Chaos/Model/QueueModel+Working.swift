/// What daemons do.
extension QueueModel {
    /// What a function answers: its value as text, or the code it refuses with.
    enum Answer: Equatable, CustomStringConvertible {
        case value(String)
        case refused(String)

        var description: String {
            switch self {
            case .value(let text): text
            case .refused(let code): "refused with \(code)"
            }
        }
    }

    mutating func register(number: Int) {
        daemons.append(Daemon(number: number))
    }

    mutating func heartbeat(_ daemon: Int) -> Answer {
        guard !daemons[daemon].isStopped else { return .value("unknown") }
        daemons[daemon].isExpired = false
        return .value(daemons[daemon].isDraining ? "drain" : "ok")
    }

    /// What a claim has to come to: whoever waits for it, by priority; and how many of them it takes.
    ///
    /// Which of several of one priority is a matter of fairness between submitters, and left open here.
    struct ClaimChoice {
        /// Places of shards, the highest priority first.
        let eligible: [Int]
        /// How many are taken.
        let count: Int
    }

    /// Makes due shards ready, and says what there is to take. Nothing for a daemon that drains or has stopped.
    mutating func choice(_ daemon: Int, queues: [String], maximum: Int) -> ClaimChoice {
        guard !daemons[daemon].isStopped, !daemons[daemon].isDraining else {
            return ClaimChoice(eligible: [], count: 0)
        }
        for shard in shards.indices
        where shards[shard].state == .scheduled && shards[shard].runAt.isPast {
            shards[shard].state = .ready
            if jobs[shards[shard].job].state == .scheduled {
                jobs[shards[shard].job].state = .ready
            }
        }
        let eligible = shards.indices
            .filter { place in
                let queue = jobs[shards[place].job].queue
                return shards[place].state == .ready && queues.contains(queue)
                    && !pausedQueues.contains(queue)
            }
            .sorted { priority(of: $0) > priority(of: $1) }
        let count = min(maximum, eligible.count)
        daemons[daemon].isIdle = count < maximum
        return ClaimChoice(eligible: eligible, count: count)
    }

    /// The priority of a shard's job.
    func priority(of shard: Int) -> Int { jobs[shards[shard].job].priority }

    /// The daemon runs these shards from now on. They have no token yet: ``grant(_:tokens:)``.
    mutating func take(_ taken: [Int], by daemon: Int) {
        for shard in taken {
            shards[shard].state = .running
            shards[shard].daemon = daemon
            shards[shard].attempts += 1
            let job = shards[shard].job
            if [.scheduled, .ready].contains(jobs[job].state) {
                jobs[job].state = .running
                jobs[job].hasStarted = true
            }
        }
    }

    /// Notes the tokens that the database gave to the shards just claimed.
    mutating func grant(_ taken: [Int], tokens: [Int]) {
        for (shard, token) in zip(taken, tokens) {
            shards[shard].token = token
            leases.append(Lease(shard: shard, token: token))
        }
    }

    private func isHeld(_ lease: Lease) -> Bool { shards[lease.shard].token == lease.token }

    /// - Parameters:
    ///   - items: What became of which items; may lie outside the shard.
    ///   - fingerprint: A judgement of the first item, if there is one.
    mutating func checkpoint(
        _ lease: Lease,
        items: [(index: Int, result: Result)],
        fingerprint: String?
    ) -> Answer {
        guard isHeld(lease) else { return .value("lost") }
        let shard = lease.shard
        guard items.allSatisfy({ shards[shard].items.contains($0.index) }) else {
            return .refused("22023")
        }
        var hasStored = fingerprint.map { fingerprints.insert($0).inserted } ?? false
        for (index, result) in items where results[shards[shard].job][index] == nil {
            results[shards[shard].job][index] = result
            if result == .completed { shards[shard].done += 1 } else { shards[shard].failed += 1 }
            hasStored = true
        }
        if hasStored { shards[shard].crashes = 0 }
        return .value(shards[shard].isCancelRequested ? "cancel" : "ok")
    }

    mutating func finish(_ lease: Lease, _ outcome: String, retryIn halves: Int) -> Answer {
        guard isHeld(lease) else { return .value("lost") }
        let place = lease.shard
        let shard = shards[place]
        if shard.missing == 0 {
            end(place, .done)
        } else if shard.isCancelRequested, jobs[shard.job].isCancelRequested {
            end(place, .cancelled)
            return .value("cancel")
        } else if outcome == "done" {
            return .refused("55000")
        } else if outcome == "release" {
            requeue(
                place,
                runAt: shard.runAt,
                attempts: shard.attempts - 1,
                crashes: shard.crashes
            )
        } else if outcome == "fail" {
            end(place, .failed, failing: "shard_failed")
        } else if shard.attempts >= jobs[shard.job].request.maxAttempts {
            end(place, .failed, failing: "attempts_exhausted")
        } else {
            requeue(
                place,
                runAt: moment(in: halves),
                attempts: shard.attempts,
                crashes: shard.crashes
            )
        }
        return .value("ok")
    }

    mutating func rescue() -> Answer {
        for daemon in daemons.indices where daemons[daemon].isExpired {
            daemons[daemon].isStopped = true
            daemons[daemon].isExpired = false
            daemons[daemon].isIdle = false
        }
        expire()
        let orphans = running { daemons[$0].isStopped }
        for shard in orphans { rescue(shard) }
        return .value("\(orphans.count)")
    }

    private mutating func rescue(_ place: Int) {
        let shard = shards[place]
        let crashes = shard.crashes + 1
        if shard.missing == 0 {
            end(place, .done)
        } else if shard.isCancelRequested, jobs[shard.job].isCancelRequested {
            end(place, .cancelled)
        } else if crashes < 3 {
            requeue(place, runAt: shard.runAt, attempts: shard.attempts - 1, crashes: crashes)
        } else if shard.missing == 1 {
            end(place, .failed, failing: "daemon_crashed")
        } else {
            openShards(
                of: shard.job,
                in: shard.items,
                size: (shard.missing + 1) / 2,
                attempts: shard.attempts - 1,
                crashes: crashes - 1,
                runAt: shard.runAt
            )
            end(place, .failed)
        }
    }

    mutating func stop(_ daemon: Int) {
        guard !daemons[daemon].isStopped else { return }
        daemons[daemon].isStopped = true
        daemons[daemon].isExpired = false
        daemons[daemon].isIdle = false
        for shard in running(under: { $0 == daemon }) {
            guard let token = shards[shard].token else { continue }
            _ = finish(Lease(shard: shard, token: token), "release", retryIn: 0)
        }
    }

    /// The running shards of a daemon that it should stop, by number.
    func cancelledShards(_ daemon: Int) -> [Int] {
        running { $0 == daemon }.map { shards[$0] }.filter(\.isCancelRequested).map(\.number)
            .sorted()
    }

    /// Running shards in the order in which the functions take them.
    private func running(under isMeant: (Int) -> Bool) -> [Int] {
        shards.indices
            .filter { shards[$0].state == .running && shards[$0].daemon.map(isMeant) == true }
            .sorted { (shards[$0].job, $0) < (shards[$1].job, $1) }
    }
}
