import Inference
import Jobs
import Logging
import PreferencePairs
import RewardModeling

/// Runs one claimed shard: its items in order, each checkpointed as it ends, then the end of the lease.
struct ShardRunner: Sendable {
    /// What every shard of a daemon shares.
    struct Context: Sendable {
        let queue: JobQueue
        let engines: any EngineSource
        let media: any MediaProvider
        /// For the models that bring none of their own.
        let pack: PromptPack
        let lease: LeaseClock
        let logger: Logger
    }

    private let context: Context
    private let shard: ClaimedShard
    private let stop: StopSwitch
    private let checkpointer: ShardCheckpointer
    private let logger: Logger

    /// - Parameter stop: how the worker asks this shard to stop; a lost lease or a cancelled job that a
    ///   checkpoint reports goes the same way.
    init(context: Context, shard: ClaimedShard, stop: StopSwitch) {
        self.context = context
        self.shard = shard
        self.stop = stop
        logger = context.logger.with([
            "job.id": LogValue(shard.jobID), "shard.id": LogValue(shard.lease.shardID),
            "job.kind": LogValue(shard.kind), "job.model": LogValue(shard.model),
        ])
        checkpointer = ShardCheckpointer(
            queue: context.queue,
            lease: shard.lease,
            logger: logger,
            onStop: { stop.stop($0) }
        )
    }

    /// Judges until the last item or a reason to stop, then gives the lease back. Never throws: every
    /// error becomes an outcome of the shard.
    func run() async {
        let start = ContinuousClock.now
        var items = 0
        let outcome: FinishOutcome
        do {
            items = try await judgeItems()
            outcome = items == shard.items.count ? .done : .release(reason: nil)
        } catch {
            outcome = FailurePolicy.outcome(of: error, attempt: shard.attempt)
            if stop.reason == nil {
                logger.error(
                    "shard interrupted",
                    ["attempt": LogValue(shard.attempt), "error": LogValue(error)]
                )
            }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let reply = await end(outcome)
        logger.info(
            "shard ended",
            [
                "outcome": LogValue(word(outcome)), "reply": LogValue(reply),
                "items": LogValue(items), "run.s": LogValue(seconds),
            ]
        )
    }

    /// Judges the items one after another; returns how many have a result.
    private func judgeItems() async throws -> Int {
        let engine = try await context.engines.engine(named: shard.model)
        let options = try JudgingOptions(json: shard.options)
        let kind = try JudgingKind(name: shard.kind)
        let task = try JudgingTask(name: shard.task)
        let pack = try engine.modelDirectory.flatMap(PromptPack.read(directory:)) ?? context.pack
        var count = 0
        for item in shard.items {
            await context.lease.untilLive()
            if stop.reason != nil { break }
            let ledger = DatabaseLedger(
                queue: context.queue,
                checkpointer: checkpointer,
                job: shard.jobID,
                itemIndex: item.index,
                model: shard.model,
                modelDigest: engine.modelDigest
            )
            let judging = ItemJudging(
                engine: engine,
                media: context.media,
                ledger: ledger,
                pack: pack,
                kind: kind,
                task: task,
                options: options,
                jobScope: "job \(shard.jobID)"
            )
            let result = try await judging.judge(payload: item.payload)
            if case .failed(let code, let message) = result.outcome {
                logger.info(
                    "item failed",
                    [
                        "item.index": LogValue(item.index), "error.code": LogValue(code),
                        "error": LogValue(message),
                    ]
                )
            }
            await checkpointer.add(ItemResultRow(itemIndex: item.index, result))
            count += 1
        }
        return count
    }

    /// Commits what is left and ends the lease. Not cancelled with the shard: giving back is quick, and
    /// a daemon that is stopping still has to do it.
    private func end(_ outcome: FinishOutcome) async -> String {
        guard await checkpointer.settle() != .lost, stop.reason != .leaseLost else { return "lost" }
        var outcome = outcome
        if let refusal = await checkpointer.refusal {
            outcome = FailurePolicy.outcome(of: refusal, attempt: shard.attempt)
        }
        let (queue, lease) = (context.queue, shard.lease)
        let finish = Task { [outcome] in try await queue.finish(lease, outcome).rawValue }
        do {
            return try await finish.value
        } catch {
            logger.error("shard not given back", ["error": LogValue(error)])
            return "failed"
        }
    }

    private func word(_ outcome: FinishOutcome) -> String {
        switch outcome {
        case .done: "done"
        case .release: "release"
        case .retry: "retry"
        case .fail: "fail"
        }
    }
}

extension JudgingKind {
    /// The kind of a claimed job. Throws `RewardModelingError` for one this version does not judge.
    fileprivate init(name: String) throws(RewardModelingError) {
        guard let kind = JudgingKind(rawValue: name) else {
            throw .invalidOptions(
                "kind: expected one this daemon judges, got \"\(name)\". Upgrade rewardd."
            )
        }
        self = kind
    }
}

extension JudgingTask {
    /// The task of a claimed job. Throws `RewardModelingError` for one this version does not judge.
    fileprivate init(name: String) throws(RewardModelingError) {
        guard let task = JudgingTask(rawValue: name) else {
            throw .invalidOptions(
                "task: expected one this daemon judges, got \"\(name)\". Upgrade rewardd."
            )
        }
        self = task
    }
}
