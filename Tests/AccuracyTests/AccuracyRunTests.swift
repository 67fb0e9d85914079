import Foundation
import Hashing
import Inference
import Logging
import RewardModeling
import Testing

@testable import Accuracy

@Suite("A run")
struct AccuracyRunTests {
    @Test("finds every goal met by an engine that knows every grade")
    func knowing() async throws {
        let report = try await Self.report(groups: 5)
        #expect(report.missed.isEmpty, "\(report.text)")
        #expect(report.text.hasSuffix("All 28 goals are met.\n"))
        for task in report.tasks {
            #expect(task.pairs.right.count > 10)
            #expect(task.pairs.right.share == 1)
            #expect(task.points.spearman == 1)
            #expect(task.points.meanAbsoluteError == 0)
            #expect(task.generatedPoints.count == task.points.count)
            #expect(task.lists.emitted.count == 2)
            #expect(task.lists.byComposition.values.reduce(0) { $0 + $1.matched } == 2)
            let isAsked = task.lists.byQuestion.values.contains { $0.matched > 0 }
            #expect(isAsked != task.task.judgesMedia)
        }
    }

    @Test("sees through an engine that looks at the place")
    func biased() async throws {
        let report = try await Self.report(groups: 3, fault: .looksAtThePlace)
        for task in report.tasks {
            #expect(task.pairs.right.share == 0)
            #expect(task.pairs.ordersAgree.share == 0)
            #expect(task.pairs.presentationsRight.share == 0.5)
            #expect(task.pairs.shownFirst.share == 1)
            #expect(task.lists.noPair == ["all_comparisons_tied": 1])
            #expect(task.points.spearman == 1)
        }
        #expect(Self.missed(report) == [.pairAccuracy, .orderAgreement, .listAccuracy])
    }

    @Test("gives an engine that says the contrary nothing right")
    func contrary() async throws {
        let report = try await Self.report(groups: 3, fault: .isContrary)
        for task in report.tasks {
            #expect(task.pairs.right.share == 0)
            #expect(task.pairs.ordersAgree.share == 1)
            #expect(task.points.spearman == -1)
            #expect(task.lists.right.share == 0)
        }
        #expect(Self.missed(report) == [.pairAccuracy, .spearman, .listAccuracy])
    }

    @Test("counts written answers that cannot be read as such and as no agreement")
    func babbling() async throws {
        let report = try await Self.report(groups: 2, fault: .babbles)
        for task in report.tasks {
            #expect(task.unparsed.share == 1)
            #expect(task.unparsed.count == task.pairs.right.count + task.points.count)
            #expect(task.pairs.generateAgrees.share == 0)
            #expect(task.generatedPoints.count == 0)
            #expect(task.pairs.right.share == 1)
        }
        #expect(Self.missed(report) == [.generateAgreement, .unparsed])
    }

    @Test("names the failures of items that have no answer")
    func refusing() async throws {
        let report = try await Self.report(groups: 2, fault: .refusesScores)
        for task in report.tasks {
            #expect(task.failures["invalid_item"]?.message == "engine: expected a known question")
            #expect(task.points.spearman == nil)
            #expect(task.pairs.right.share == 1)
        }
        #expect(report.text.contains("failed with invalid_item"))
        #expect(Self.missed(report).contains(.failed))
        #expect(Self.missed(report).contains(.spearman))
    }

    @Test("finds goals missed by a model with random weights, the same ones again")
    func randomWeights() async throws {
        let directory =
            URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
            + "/Goldens/llava_ov/hf-bf16"
        let engine = try Engine(
            blueprint: EngineBlueprint(directory: directory, options: EngineOptions(threads: 1)),
            logger: Logger(level: .error)
        )
        var plan = AccuracyPlan(seed: 4, tasks: [.imageGeneration, .videoUnderstanding], groups: 1)
        plan.maximumNewTokens = 3
        var reports: [AccuracyReport] = []
        for _ in 0..<2 {
            var steps: [Int] = []
            let tasks = try await AccuracyRun(plan: plan, engine: engine, pack: try .builtin())
                .run { done, _ in steps.append(done) }
            #expect(steps == Array(1...plan.steps))
            reports.append(Self.report(plan, tasks, digest: engine.modelDigest))
        }
        #expect(!reports[0].missed.isEmpty)
        #expect(reports[0].tasks.allSatisfy { $0.failed.matched == 0 })
        #expect(reports[0].json == reports[1].json)
    }

    // MARK: - Reports

    @Test("writes JSON with the same keys whatever was measured")
    func keys() async throws {
        let full = try #require(
            PayloadValue(json: try await Self.report(groups: 2).json.utf8)
        )
        let plan = AccuracyPlan(seed: 1, groups: 1)
        let empty = try #require(
            PayloadValue(
                json: Self.report(plan, plan.tasks.map(TaskAccuracy.init)).json.utf8
            )
        )
        #expect(Self.keys(full) == Self.keys(empty))
        guard case .object(let fields) = full else { return }
        #expect(fields["goals_met"] == .bool(true))
        #expect(fields["seed"] == .string("11"))
    }

    /// Paths of the fixed keys: what a breakdown is broken down by depends on the scenes.
    private static func keys(_ value: PayloadValue, _ path: String = "") -> Set<String> {
        guard case .object(let fields) = value else { return [path] }
        if path.contains(".by_") || path.contains("_by_") || path.hasSuffix("failures") {
            return [path]
        }
        if fields.isEmpty { return [path] }
        return fields.reduce(into: []) { $0.formUnion(keys($1.value, "\(path).\($1.key)")) }
    }

    private static func report(
        groups: Int,
        fault: GradedEngine.Fault? = nil
    ) async throws -> AccuracyReport {
        let plan = AccuracyPlan(seed: 11, groups: groups)
        let pack = try PromptPack.builtin()
        let engine = try await GradedEngine(plan: plan, pack: pack, fault: fault)
        let tasks = try await AccuracyRun(plan: plan, engine: engine, pack: pack).run()
        return report(plan, tasks, digest: engine.modelDigest)
    }

    private static func report(
        _ plan: AccuracyPlan,
        _ tasks: [TaskAccuracy],
        digest: Digest = SHA256.digest([])
    ) -> AccuracyReport {
        AccuracyReport(
            directory: "model",
            modelDigest: digest,
            pack: "builtin",
            plan: plan,
            tasks: tasks,
            seconds: 1
        )
    }

    private static func missed(_ report: AccuracyReport) -> Set<AccuracyMeasure> {
        Set(report.missed.map(\.measure))
    }
}
