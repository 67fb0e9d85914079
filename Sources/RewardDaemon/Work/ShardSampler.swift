import Inference
import Jobs
import PreferencePairs
import RewardModeling

/// The first half of a shard whose candidates are sampled: every item's are written by the policy and
/// checkpointed one by one, before the model that judges is asked for.
///
/// So a shard never holds two models, and a daemon whose memory takes one of them at a time works too: no shard
/// waits for memory while it keeps memory that another waits for.
struct ShardSampler: Sendable {
    /// What an item has come to.
    typealias Outcome = Result<SampledCandidates, SamplingFailure>

    let context: ShardRunner.Context
    let shard: ClaimedShard
    let stop: StopSwitch
    let checkpointer: ShardCheckpointer
    let streak: FailureStreak

    /// The items' candidates in their order; fewer when the shard was asked to stop.
    func run(
        _ sampling: CandidateSampling,
        _ options: JudgingOptions,
        _ task: JudgingTask
    ) async throws -> [Outcome] {
        let engine = PrioritizedEngine(
            try await context.engines.engine(named: sampling.policy),
            priority: shard.priority
        )
        let pack = try context.pack(of: engine)
        return try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
            var started = 0
            func start() async {
                guard started < shard.items.count else { return }
                await context.lease.untilLive()
                guard stop.reason == nil else { return }
                let place = started
                group.addTask {
                    let item = shard.items[place]
                    let sampler = CandidateSampler(
                        engine: engine,
                        media: context.media,
                        ledger: ledger(item, sampling, engine),
                        sampling: sampling,
                        task: task,
                        frames: options.sampler(for: pack),
                        scope: options.reuse && engine.answersAreShared ? nil : shard.jobScope
                    )
                    do {
                        let outcome = try await sampler.sample(
                            payload: item.payload,
                            item: item.index
                        )
                        streak.end()
                        return (place, outcome)
                    } catch {
                        let failure = FailurePolicy.itemFailure(
                            of: error,
                            attempt: shard.attempt,
                            attempts: options.maximumAttempts,
                            streak: streak
                        )
                        guard let failure else { throw error }
                        return (place, .failure(SamplingFailure(failure: failure, recorded: [])))
                    }
                }
                started += 1
            }
            for _ in 0..<context.itemsAtOnce { await start() }
            var outcomes: [Int: Outcome] = [:]
            while let (place, outcome) = try await group.next() {
                outcomes[place] = outcome
                await start()
            }
            // Items start in order, so those that have ended are a beginning of the shard.
            return (0..<started).compactMap { outcomes[$0] }
        }
    }

    private func ledger(
        _ item: ClaimedItem,
        _ sampling: CandidateSampling,
        _ engine: any AnswerEngine
    ) -> DatabaseLedger {
        DatabaseLedger(
            queue: context.queue,
            checkpointer: checkpointer,
            job: shard.jobID,
            itemIndex: item.index,
            model: sampling.policy,
            modelDigest: engine.modelDigest,
            task: shard.task
        )
    }
}

extension ClaimedShard {
    /// What fingerprints mix in when a job's answers are its own.
    var jobScope: String { "job \(jobID)" }
}

extension ItemResult {
    /// The result of an item that has no candidates.
    init(_ error: SamplingFailure) {
        self.init(outcome: ItemOutcome(error.failure), judgements: error.recorded)
    }
}
