import Jobs
import Logging

/// Claims shards of one duty while slots are free and runs them. The shell of `WorkerStateMachine`.
actor Worker {
    /// What a worker claims and does.
    struct Duty: Sendable {
        /// Shards at once.
        let slots: Int
        /// What to claim for; asked anew at every claim, because models come while a daemon runs.
        let labels: @Sendable () -> [String]
        /// Runs a claimed shard until its end or until it is asked to stop, and ends its lease.
        let run: @Sendable (ClaimedShard, StopSwitch) async -> Void
    }

    private let queue: JobQueue
    private let lease: LeaseClock
    private let queues: [String]
    private let duty: Duty
    private let logger: Logger
    private var machine: WorkerStateMachine
    /// How to stop each running shard, by its number.
    private var running: [Int64: StopSwitch] = [:]
    private let onStopped: @Sendable () -> Void

    /// - Parameter onStopped: called once, when a drain is complete.
    init(
        queue: JobQueue,
        lease: LeaseClock,
        queues: [String],
        duty: Duty,
        logger: Logger,
        onStopped: @escaping @Sendable () -> Void
    ) {
        self.queue = queue
        self.lease = lease
        self.queues = queues
        self.duty = duty
        self.logger = logger
        self.onStopped = onStopped
        machine = WorkerStateMachine(slots: duty.slots)
    }

    /// Shards that run now.
    var runningCount: Int { machine.runningCount }

    /// Work may have arrived.
    func wake() {
        guard lease.isLive else { return }
        perform(machine.woken())
    }

    /// Looks for jobs that were cancelled while their shards run here.
    func checkCancelled() async {
        guard !running.isEmpty, let daemonID = lease.daemonID else { return }
        do {
            for shardID in try await queue.cancelledShards(daemonID: daemonID) {
                running[shardID]?.stop(.cancelled)
            }
        } catch {
            logger.debug("cancelled shards not read", ["error": LogValue(error)])
        }
    }

    /// Every lease went to others: stop at once and write nothing more.
    func leasesLost() {
        stopRunning(.leaseLost)
    }

    /// Claim nothing more, let items in flight end, give the rest back.
    func drain() {
        stopRunning(.drain)
        lease.releaseWaiters()
        perform(machine.drain())
    }

    /// Stop items in flight at the next engine step; their shards are given back.
    func abandon() {
        stopRunning(.abandon)
        lease.releaseWaiters()
    }

    // MARK: - Actions

    private func perform(_ action: WorkerStateMachine.Action) {
        switch action {
        case .claim(let count): Task { await claim(count) }
        case .stopped: onStopped()
        case .none: break
        }
    }

    private func claim(_ count: Int) async {
        guard let daemonID = lease.daemonID else {
            perform(machine.claimFailed())
            return
        }
        let labels = duty.labels()
        guard !labels.isEmpty else {
            perform(machine.claimed(0))
            return
        }
        do {
            let shards = try await queue.claim(
                daemonID: daemonID,
                models: labels,
                queues: queues,
                maximum: count
            )
            for shard in shards { start(shard) }
            perform(machine.claimed(shards.count))
            if machine.isDraining { stopRunning(.drain) }
        } catch {
            logger.warning("claim failed", ["error": LogValue(error)])
            perform(machine.claimFailed())
        }
    }

    private func stopRunning(_ reason: StopReason) {
        for stop in running.values { stop.stop(reason) }
    }

    private func start(_ shard: ClaimedShard) {
        logger.debug(
            "shard claimed",
            [
                "job.id": LogValue(shard.jobID), "shard.id": LogValue(shard.lease.shardID),
                "items": LogValue(shard.items.count), "attempt": LogValue(shard.attempt),
            ]
        )
        let stop = StopSwitch()
        let run = duty.run
        let task = Task {
            await run(shard, stop)
            ended(shard.lease.shardID)
        }
        stop.attach(task)
        running[shard.lease.shardID] = stop
    }

    private func ended(_ shardID: Int64) {
        running[shardID] = nil
        perform(machine.shardEnded())
    }
}
