/// What submitters, operators and the clock do.
extension QueueModel {
    /// What an enqueue comes to: a job that was there already, a refusal, or nil for a new job, which
    /// ``add(number:request:queue:priority:delay:key:)`` then adds.
    func answerBeforeEnqueue(_ request: Request, queue: String, key: String?) -> Answer? {
        guard let key, let known = keys["\(queue)/\(key)"] else { return nil }
        return jobs[known].request == request
            ? .value("\(jobs[known].number)") : .refused("55000")
    }

    mutating func add(
        number: Int,
        request: Request,
        queue: String,
        priority: Int,
        delay: Int,
        key: String?
    ) {
        let place = jobs.count
        if let key { keys["\(queue)/\(key)"] = place }
        let runAt = moment(in: delay)
        jobs.append(
            Job(
                number: number,
                request: request,
                queue: queue,
                priority: priority,
                state: runAt.isPast ? .ready : .scheduled,
                runAt: runAt,
                shardsTotal: 0
            )
        )
        results.append([:])
        openShards(
            of: place,
            in: 0..<request.items,
            size: request.shardSize,
            attempts: 0,
            crashes: 0,
            runAt: runAt
        )
        guard !runAt.isPast else { return }
        for shard in shards(of: place) { shards[shard].state = .scheduled }
    }

    mutating func cancel(_ job: Int, force: Bool) -> Answer {
        switch jobs[job].state {
        case .completed, .failed: return .refused("55000")
        case .cancelled: return .value("cancelled")
        default: break
        }
        let isNew = !jobs[job].isCancelRequested
        if isNew { requestCancel(job) }
        if force {
            for shard in shards(of: job) where shards[shard].state == .running {
                end(shard, shards[shard].missing == 0 ? .done : .cancelled)
            }
        }
        if isNew { settle(job) }
        return .value(jobs[job].state.rawValue)
    }

    private mutating func requestCancel(_ job: Int) {
        jobs[job].isCancelRequested = true
        jobs[job].isHeld = false
        if jobs[job].state == .held { jobs[job].state = .running }
        stopShards(of: job, waiting: .cancelled)
    }

    private mutating func stopShards(of job: Int, waiting target: Shard.State) {
        for shard in shards(of: job) {
            if shards[shard].isWaiting { shards[shard].state = target }
            if shards[shard].state == .running { shards[shard].isCancelRequested = true }
        }
    }

    mutating func hold(_ job: Int) -> Answer {
        guard !jobs[job].hasEnded, !jobs[job].isCancelRequested else { return .refused("55000") }
        if !jobs[job].isHeld {
            jobs[job].isHeld = true
            jobs[job].state = .held
            stopShards(of: job, waiting: .held)
        }
        return .value("held")
    }

    mutating func release(_ job: Int) -> Answer {
        guard jobs[job].isHeld else { return .refused("55000") }
        jobs[job].isHeld = false
        let mine = shards(of: job)
        for shard in mine {
            if shards[shard].state == .held {
                shards[shard].state = shards[shard].runAt.isPast ? .ready : .scheduled
            } else if shards[shard].state == .running {
                shards[shard].isCancelRequested = false
            }
        }
        let states = Set(mine.map { shards[$0].state })
        jobs[job].state =
            states.contains(.running) ? .running : states.contains(.ready) ? .ready : .scheduled
        return .value(jobs[job].state.rawValue)
    }

    mutating func retry(_ job: Int) -> Answer {
        guard jobs[job].hasEnded else { return .refused("55000") }
        let open = jobs[job].request.items - jobs[job].done
        guard open > 0 else { return .refused("55000") }
        results[job] = results[job].filter { $0.value == .completed }
        for shard in shards(of: job) { shards[shard].failed = 0 }
        jobs[job].state = .ready
        jobs[job].runAt = moment()
        jobs[job].isCancelRequested = false
        jobs[job].deadline = nil
        jobs[job].done = 0
        jobs[job].failed = 0
        openShards(
            of: job,
            in: 0..<jobs[job].request.items,
            size: jobs[job].request.shardSize,
            attempts: 0,
            crashes: 0,
            runAt: moment()
        )
        return .value("\(open)")
    }

    /// - Parameter halves: An odd number, so that it never is the moment at which a job may start.
    mutating func setDeadline(_ job: Int, in halves: Int) -> Answer {
        guard jobs[job].runAt < moment(in: halves) else { return .refused("22023") }
        guard !jobs[job].hasEnded else { return .refused("55000") }
        jobs[job].deadline = moment(in: halves)
        return .value("")
    }

    /// Cancels the jobs whose deadline has passed.
    mutating func expire() {
        for job in jobs.indices where !jobs[job].hasEnded {
            guard let deadline = jobs[job].deadline, deadline.isPast else { continue }
            jobs[job].deadline = nil
            guard !jobs[job].isCancelRequested else { continue }
            requestCancel(job)
            settle(job)
        }
    }

    mutating func drain(_ daemon: Int) -> Answer {
        guard !daemons[daemon].isStopped else { return .refused("P0002") }
        daemons[daemon].isDraining = true
        return .value("")
    }

    /// Lets time pass for all, daemons included unless they beat at its end.
    mutating func advance(_ halves: Int, isBeating: Bool) {
        for job in jobs.indices {
            jobs[job].runAt.halves -= halves
            jobs[job].deadline?.halves -= halves
        }
        for shard in shards.indices { shards[shard].runAt.halves -= halves }
        for daemon in daemons.indices where !daemons[daemon].isStopped {
            daemons[daemon].isExpired = !isBeating
        }
    }
}
