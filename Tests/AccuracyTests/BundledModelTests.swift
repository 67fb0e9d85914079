import Foundation
import Inference
import Logging
import RewardModeling
import Testing

@testable import Accuracy

/// Floors stand below what the model's documentation reports for many more groups, by about what
/// chance takes from so few.
@Suite("The bundled model")
struct BundledModelTests {
    private static let directory =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/deploy/models/scenes"

    @Test("judges scenes of unseen looks as well as it is said to")
    func accuracy() async throws {
        let engine = try Engine(
            blueprint: EngineBlueprint(
                directory: Self.directory,
                options: EngineOptions(threads: 2)
            ),
            logger: Logger(level: .error)
        )
        let pack = try #require(try PromptPack.read(directory: Self.directory))
        let plan = AccuracyPlan(seed: 20_261_128, groups: 20)
        let tasks = try await AccuracyRun(plan: plan, engine: engine, pack: pack).run { _, _ in }
        for task in tasks {
            let name = task.task.rawValue
            #expect(try #require(task.pairs.presentationsRight.share) >= 0.72, "\(name)")
            let floor = task.task.judgesMedia ? 0.65 : 0.4
            #expect(try #require(task.points.spearman) >= floor, "\(name)")
            #expect(try #require(task.pairs.generateAgrees.share) >= 0.98, "\(name)")
            #expect(task.unparsed.matched == 0, "\(name)")
            #expect(task.failed.matched == 0, "\(name)")
        }
        let pairs = tasks.filter(\.task.judgesMedia).map(\.lists.right)
        let emitted = pairs.reduce(0) { $0 + $1.count }
        let right = pairs.reduce(0) { $0 + $1.matched }
        #expect(emitted >= 14)
        #expect(Double(right) >= 0.75 * Double(emitted), "\(right) of \(emitted)")
    }

    @Test("takes at most eight megabytes")
    func size() throws {
        let attributes = try FileManager.default.attributesOfItem(
            atPath: Self.directory + "/model.safetensors"
        )
        #expect(try #require(attributes[.size] as? Int) <= 8_000_000)
    }
}
