import Jobs
import Logging

/// Claims shards while slots are free and runs them. The shell of `WorkerStateMachine`.
actor Worker {
    private let context: ShardRunner.Context
    private let models: [String]
    private let queues: [String]
    private let logger: Logger
    private var machine: WorkerStateMachine
    /// How to stop each running shard, by its number.
    private var running: [Int64: StopSwitch] = [:]
    private let onStopped: @Sendable () -> Void

    /// - Parameter onStopped: called once, when a drain is complete.
    init(
        context: ShardRunner.Context,
        models: [String],
        queues: [String],
        slots: Int,
        onStopped: @escaping @Sendable () -> Void
    ) {
        self.context = context
        self.models = models
        self.queues = queues
        self.onStopped = onStopped
        logger = context.logger
        machine = WorkerStateMachine(slots: slots)
    }

    /// Shards that run now.
    var runningCount: Int { machine.runningCount }

    /// Work may have arrived.
    func wake() {
        guard context.lease.isLive else { return }
        perform(machine.woken())
    }

    /// Looks for jobs that were cancelled while their shards run here.
    func checkCancelled() async {
        guard !running.isEmpty, let daemonID = context.lease.daemonID else { return }
        do {
            for shardID in try await context.queue.cancelledShards(daemonID: daemonID) {
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
        context.lease.releaseWaiters()
        perform(machine.drain())
    }

    /// Stop items in flight at the next engine step; their shards are given back.
    func abandon() {
        stopRunning(.abandon)
        context.lease.releaseWaiters()
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
        guard let daemonID = context.lease.daemonID else {
            perform(machine.claimFailed())
            return
        }
        do {
            let shards = try await context.queue.claim(
                daemonID: daemonID,
                models: models,
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
        let runner = ShardRunner(context: context, shard: shard, stop: stop)
        let task = Task {
            await runner.run()
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
