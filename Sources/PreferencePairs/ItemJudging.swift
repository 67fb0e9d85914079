package import Inference
package import RewardModeling

/// The daemon's way in: judges the items of one shard, whatever their kind.
///
/// All judgements of an item may be in the engine at the same time; what an item comes to depends
/// on their answers alone.
package struct ItemJudging: Sendable {
    private let setup: JudgingSetup
    private let kind: JudgingKind

    /// - Parameter jobScope: Mixed into fingerprints when `options.reuse` is false, such as the
    ///   job's id: the job's answers are then its own, and still survive a crash.
    package init(
        engine: any AnswerEngine,
        media: any MediaProvider,
        ledger: any JudgementLedger,
        pack: PromptPack,
        kind: JudgingKind,
        task: JudgingTask,
        options: JudgingOptions,
        jobScope: String
    ) {
        setup = JudgingSetup(
            engine: engine,
            media: media,
            ledger: ledger,
            pack: pack,
            task: task,
            options: options,
            jobScope: jobScope
        )
        self.kind = kind
    }

    /// Judges one item, given as the JSON of its payload.
    ///
    /// A payload of the wrong shape, pictures that cannot be had, a prompt that is too long and
    /// answers that cannot be read come back as a failed item. Throws `CancellationError`, and
    /// every other error of engine, media and ledger unchanged: the shard can then be tried again.
    ///
    /// - Parameter sampled: The candidates of an item that brings none.
    package func judge(
        payload json: some Collection<UInt8>,
        sampled: SampledCandidates? = nil
    ) async throws -> ItemResult {
        do {
            let payload = try ItemPayload(
                json: json,
                kind: kind,
                task: setup.task,
                candidatesAreSampled: sampled != nil
            )
            switch kind {
            case .pointScore: return ItemResult(try await ItemJudge(setup).pointScore(payload))
            case .pairRank: return ItemResult(try await ItemJudge(setup).pairRank(payload))
            case .pairScore: return ItemResult(try await ItemJudge(setup).pairScore(payload))
            case .buildPairs: return try await PairItemJudge(setup, sampled: sampled).judge(payload)
            }
        } catch let error as RewardModelingError {
            return ItemResult(outcome: ItemOutcome(ItemFailure(error)), judgements: [])
        }
    }
}

extension ItemResult {
    fileprivate init(_ item: JudgedItem) {
        self.init(outcome: item.outcome, judgements: item.judgements)
    }
}
