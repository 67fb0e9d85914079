package import Inference
import PreferencePairs
package import RewardModeling

/// Judges drawn `build_pairs` items as a daemon would, and says how long it took.
package struct JudgingSpeed: Sendable {
    /// One way of judging, measured.
    package struct Measurement: Sendable {
        /// Questions answered.
        package let judgements: Int
        /// From the first question to the last answer.
        package let seconds: Double
        /// Every judgement, so that two ways can be compared.
        package let ledger: MemoryLedger
    }

    private let groups: [TestGroup]
    private let task: JudgingTask
    private let pack: PromptPack
    private let options: JudgingOptions

    /// Draws `items` items of a task.
    ///
    /// - Parameters:
    ///   - candidates: Of each item.
    ///   - options: How they are judged.
    /// - Throws: `AccuracyError.noItems` where no scene has so many answers, an error of the renderer.
    package init(
        seed: UInt64,
        items: Int,
        candidates: Int = AccuracyPlan.candidatesPerList,
        task: JudgingTask,
        pack: PromptPack,
        options: JudgingOptions = JudgingOptions()
    ) throws {
        self.options = options
        self.task = task
        self.pack = pack
        let maker = TestGroupMaker(
            plan: AccuracyPlan(seed: seed, tasks: [task], groups: 1),
            task: task,
            candidates: candidates
        )
        var groups: [TestGroup] = []
        var index = 0
        // An understanding item needs a question with so many answers, which not every scene has.
        while groups.count < items, index < 100 * items {
            let group = try maker.list(index)
            if group.list != nil { groups.append(group) }
            index += 1
        }
        guard !groups.isEmpty else {
            throw AccuracyError.noItems(task: task.rawValue, candidates: candidates)
        }
        self.groups = groups
    }

    /// Judges every item, `atOnce` of them at a time, with nothing known beforehand.
    ///
    /// - Throws: what the engine throws.
    package func measure(_ engine: any AnswerEngine, atOnce: Int) async throws -> Measurement {
        let ledger = MemoryLedger()
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            var waiting = groups.makeIterator()
            func start() {
                guard let item = waiting.next() else { return }
                group.addTask { try await judge(item, engine, ledger) }
            }
            for _ in 0..<max(atOnce, 1) { start() }
            while try await group.next() != nil { start() }
        }
        return Measurement(
            judgements: ledger.count,
            seconds: start.duration(to: .now) / .seconds(1),
            ledger: ledger
        )
    }

    private func judge(
        _ group: TestGroup,
        _ engine: any AnswerEngine,
        _ ledger: MemoryLedger
    ) async throws {
        guard let list = group.list else { return }
        let judging = ItemJudging(
            engine: engine,
            media: group.media,
            ledger: ledger,
            pack: pack,
            kind: .buildPairs,
            task: task,
            options: options,
            jobScope: "speed"
        )
        _ = try await judging.judge(payload: list.payload.utf8)
    }
}
