package import Inference
import PreferencePairs
package import RewardModeling

/// Measures how well a model judges scenes that it has never seen, through the code that judges the
/// items of a daemon.
package struct AccuracyRun: Sendable {
    /// What is measured.
    package let plan: AccuracyPlan
    private let engine: any AnswerEngine
    private let pack: PromptPack
    private let ledger = MemoryLedger()

    /// Measures a model with the prompts of a pack.
    package init(plan: AccuracyPlan, engine: any AnswerEngine, pack: PromptPack) {
        self.plan = plan
        self.engine = engine
        self.pack = pack
    }

    /// Draws and judges everything, one group after another; the next group is drawn meanwhile.
    ///
    /// - Parameter progress: Called after each group with how many of `plan.steps` are done, and the
    ///   task.
    /// - Throws: `CancellationError`, errors of the engine that are not about one item, and
    ///   ``AccuracyError/unreadableResult(_:)``.
    package func run(
        progress: (Int, JudgingTask) -> Void = { _, _ in }
    ) async throws -> [TaskAccuracy] {
        var done = 0
        var results: [TaskAccuracy] = []
        for task in plan.tasks {
            let maker = TestGroupMaker(plan: plan, task: task)
            var accuracy = TaskAccuracy(task: task)
            var next = try draw(0, maker)
            for step in 0..<(plan.groups + plan.lists) {
                let group = next
                async let drawn = draw(step + 1, maker)
                try await judge(group, into: &accuracy)
                next = try await drawn
                done += 1
                progress(done, task)
            }
            results.append(accuracy)
        }
        return results
    }

    /// The group of a step: first those of pairs and points, then the lists.
    private func draw(_ step: Int, _ maker: TestGroupMaker) throws -> TestGroup? {
        guard step < plan.groups + plan.lists else { return nil }
        return step < plan.groups
            ? try maker.group(step) : try maker.list(step - plan.groups)
    }

    private func judge(_ group: TestGroup?, into accuracy: inout TaskAccuracy) async throws {
        guard let group else { return }
        for test in group.pairs { try await judge(test, group.media, into: &accuracy) }
        for test in group.points { try await judge(test, group.media, into: &accuracy) }
        guard let test = group.list else { return }
        let result = try await ask(.buildPairs, test.payload, group.media, &accuracy)
        try accuracy.lists.note(
            ItemReading(result.outcome),
            pair: result.pair,
            of: test
        )
    }

    private func judge(
        _ test: PairCase,
        _ media: SceneMedia,
        into accuracy: inout TaskAccuracy
    ) async throws {
        // Written first, weighed next: the engine keeps the prompt that both begin with.
        let written = try await ask(.pairRank, test.payload, media, &accuracy, .generate)
        let generated = generated(written, &accuracy)?.verdict
        let result = try await ask(.pairRank, test.payload, media, &accuracy)
        let reading = try ItemReading(result.outcome)
        try accuracy.pairs.note(reading, of: test)
        let chosen = try reading?.presentations().first { $0.order == .firstSecond }?.verdict
        accuracy.pairs.note(generated: generated, chosen: chosen)
    }

    private func judge(
        _ test: PointCase,
        _ media: SceneMedia,
        into accuracy: inout TaskAccuracy
    ) async throws {
        let written = try await ask(.pointScore, test.payload, media, &accuracy, .generate)
        if let answer = generated(written, &accuracy), !answer.isUnparsed,
            let reading = try ItemReading(written.outcome)
        {
            accuracy.generatedPoints.note(try reading.grade(), of: test)
        }
        let result = try await ask(.pointScore, test.payload, media, &accuracy)
        if let reading = try ItemReading(result.outcome) {
            accuracy.points.note(try reading.grade(), of: test)
        }
    }

    /// What was written for an item that asks one question; the judgement that stands in for an
    /// answer that cannot be read comes after it.
    private func generated(
        _ result: ItemResult,
        _ accuracy: inout TaskAccuracy
    ) -> RecordedJudgement? {
        guard let judgement = result.judgements.first.flatMap(ledger.judgement),
            judgement.answerMode == .generate
        else { return nil }
        accuracy.unparsed.note(judgement.isUnparsed)
        return judgement
    }

    /// Judges one item: weighed answers in both orders, or written ones in the item's order.
    private func ask(
        _ kind: JudgingKind,
        _ payload: String,
        _ media: SceneMedia,
        _ accuracy: inout TaskAccuracy,
        _ mode: AnswerMode = .choices
    ) async throws -> ItemResult {
        var options = JudgingOptions()
        options.answer = mode
        options.orders = mode == .choices ? .both : .single
        options.maximumNewTokens = plan.maximumNewTokens
        let judging = ItemJudging(
            engine: engine,
            media: media,
            ledger: ledger,
            pack: pack,
            kind: kind,
            task: accuracy.task,
            options: options,
            jobScope: "accuracy"
        )
        let result = try await judging.judge(payload: payload.utf8)
        accuracy.note(result.outcome)
        return result
    }
}
