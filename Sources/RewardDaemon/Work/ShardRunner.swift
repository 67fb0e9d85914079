import Inference
import Jobs
import Logging
import PreferencePairs
import RewardModeling

/// Runs one claimed shard: its items, several at a time, each judgement checkpointed as it ends and the
/// results in the order of the items, then the end of the lease.
struct ShardRunner: Sendable {
    /// What every shard of a daemon shares.
    struct Context: Sendable {
        let queue: JobQueue
        let engines: any EngineSource
        let media: any MediaProvider
        /// For the models that bring none of their own.
        let pack: PromptPack
        let lease: LeaseClock
        /// Items of a shard that are judged at a time.
        let itemsAtOnce: Int
        let logger: Logger

        /// The templates a model is asked by.
        func pack(of engine: any AnswerEngine) throws -> PromptPack {
            try engine.modelDirectory.flatMap(PromptPack.read(directory:)) ?? pack
        }
    }

    private let context: Context
    private let shard: ClaimedShard
    private let stop: StopSwitch
    private let checkpointer: ShardCheckpointer
    private let logger: Logger
    private let streak = FailureStreak()

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

    /// Judges the items, `itemsAtOnce` at a time; returns how many have a result.
    ///
    /// An item's questions fill a pass of the engine only in part, and its pictures have to be read first.
    /// A result waits for those of the items before it: what is recorded is always a beginning of the shard.
    private func judgeItems() async throws -> Int {
        var options = try JudgingOptions(json: shard.options)
        let task = try JudgingTask(name: shard.task)
        let sampled = try await sample(options, task)
        guard stop.reason == nil || sampled == nil else { return 0 }
        let engine = PrioritizedEngine(
            try await context.engines.engine(named: shard.model),
            priority: shard.priority
        )
        if !engine.answersAreShared { options.reuse = false }
        let work = ItemWork(
            engine: engine,
            pack: try context.pack(of: engine),
            kind: try JudgingKind(name: shard.kind),
            task: task,
            options: options
        )
        // What a server fails over in the last attempt fails alone: nothing else is asked beside it.
        let isLast = shard.attempt > 1 && shard.attempt >= options.maximumAttempts
        let itemsAtOnce = isLast ? 1 : context.itemsAtOnce
        return try await withThrowingTaskGroup(of: (Int, ItemResult).self) { group in
            var started = 0
            func start() async {
                guard started < shard.items.count else { return }
                await context.lease.untilLive()
                guard stop.reason == nil else { return }
                let place = started
                group.addTask {
                    let item = shard.items[place]
                    return (place, try await judge(item, work, sampled: sampled?[place]))
                }
                started += 1
            }
            for _ in 0..<itemsAtOnce { await start() }
            var early: [Int: ItemResult] = [:]
            var count = 0
            while let (place, result) = try await group.next() {
                early[place] = result
                while let next = early.removeValue(forKey: count) {
                    await checkpointer.add(
                        ItemResultRow(itemIndex: shard.items[count].index, next)
                    )
                    count += 1
                }
                await start()
            }
            return count
        }
    }

    /// The candidates of every item; nil where items bring theirs.
    private func sample(
        _ options: JudgingOptions,
        _ task: JudgingTask
    ) async throws -> [ShardSampler.Outcome]? {
        guard let sampling = options.candidates else { return nil }
        return try await ShardSampler(
            context: context,
            shard: shard,
            stop: stop,
            checkpointer: checkpointer,
            streak: streak
        ).run(sampling, options, task)
    }

    /// What the items of a shard are judged by.
    private struct ItemWork: Sendable {
        let engine: any AnswerEngine
        let pack: PromptPack
        let kind: JudgingKind
        let task: JudgingTask
        let options: JudgingOptions
    }

    private func judge(
        _ item: ClaimedItem,
        _ work: ItemWork,
        sampled: ShardSampler.Outcome?
    ) async throws -> ItemResult {
        let result: ItemResult
        switch sampled {
        case .failure(let error): result = ItemResult(error)
        case .success(let candidates): result = try await judge(item, work, candidates)
        case nil: result = try await judge(item, work, nil)
        }
        if case .failed(let code, let message) = result.outcome {
            logger.info(
                "item failed",
                [
                    "item.index": LogValue(item.index), "error.code": LogValue(code),
                    "error": LogValue(message),
                ]
            )
        }
        return result
    }

    private func judge(
        _ item: ClaimedItem,
        _ work: ItemWork,
        _ candidates: SampledCandidates?
    ) async throws -> ItemResult {
        let ledger = DatabaseLedger(
            queue: context.queue,
            checkpointer: checkpointer,
            job: shard.jobID,
            itemIndex: item.index,
            model: shard.model,
            modelDigest: work.engine.modelDigest,
            task: shard.task
        )
        let judging = ItemJudging(
            engine: work.engine,
            media: context.media,
            ledger: ledger,
            pack: work.pack,
            kind: work.kind,
            task: work.task,
            options: work.options,
            jobScope: shard.jobScope
        )
        do {
            let result = try await judging.judge(payload: item.payload, sampled: candidates)
            streak.end()
            return result
        } catch {
            let failure = FailurePolicy.itemFailure(
                of: error,
                attempt: shard.attempt,
                attempts: work.options.maximumAttempts,
                streak: streak
            )
            guard let failure else { throw error }
            return ItemResult(
                outcome: ItemOutcome(failure),
                judgements: candidates?.fingerprints ?? []
            )
        }
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
