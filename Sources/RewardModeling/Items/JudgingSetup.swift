package import Inference

/// What the judging of any item needs, put together once per shard.
package struct JudgingSetup: Sendable {
    /// Answers the questions.
    package let engine: any AnswerEngine
    /// Reads the pictures.
    package let media: any MediaProvider
    /// Keeps the judgements.
    package let ledger: any JudgementLedger
    /// Words the questions.
    package let pack: PromptPack
    /// What the items are about.
    package let task: JudgingTask
    /// How they are judged.
    package let options: JudgingOptions
    /// Mixed into fingerprints when `options.reuse` is false, so that a job's answers are its own
    /// and still survive a crash of its daemon.
    package let jobScope: String

    /// Puts the parts together.
    package init(
        engine: any AnswerEngine,
        media: any MediaProvider,
        ledger: any JudgementLedger,
        pack: PromptPack,
        task: JudgingTask,
        options: JudgingOptions,
        jobScope: String
    ) {
        self.engine = engine
        self.media = media
        self.ledger = ledger
        self.pack = pack
        self.task = task
        self.options = options
        self.jobScope = jobScope
    }

    /// The questions of some kinds about an item whose pictures are loaded as their templates show them, or
    /// why there are none. Throws `.missingTemplate` too.
    package func questions(
        about payload: ItemPayload,
        asking kinds: [QuestionKind]
    ) async throws -> Result<ItemQuestions, ItemMediaFailure> {
        let views = try options.views(for: kinds, about: task, in: pack)
        return try await ItemMedia.load(payload, from: media, views: views).map {
            ItemQuestions(payload: payload, media: $0, task: task, pack: pack, options: options)
        }
    }

    /// Asks questions as the options say.
    package func ask(_ questions: [JudgementQuestion]) async throws -> [QuestionOutcome] {
        let batch = QuestionBatch(
            engine: engine,
            ledger: ledger,
            decoding: options.decoding(pack.decoding.decoding(for: engine)),
            scope: options.reuse ? nil : jobScope
        )
        return try await batch.ask(questions)
    }
}
