import RewardModeling
import Testing

@testable import Accuracy

@Suite("Groups to test with")
struct TestGroupMakerTests {
    @Test("are the same for one seed and others for another", arguments: JudgingTask.ofScenes)
    func seeds(task: JudgingTask) throws {
        func payloads(_ seed: UInt64) throws -> [String] {
            let maker = TestGroupMaker(plan: AccuracyPlan(seed: seed, groups: 2), task: task)
            let group = try maker.group(1)
            return group.pairs.map(\.payload) + group.points.map(\.payload)
        }
        #expect(try payloads(5) == payloads(5))
        #expect(try payloads(5) != payloads(6))
    }

    @Test("offer all margins and all grades", arguments: JudgingTask.ofScenes)
    func spread(task: JudgingTask) throws {
        let maker = TestGroupMaker(plan: AccuracyPlan(seed: 2, groups: 20), task: task)
        let groups = try (0..<20).map { try maker.group($0) }
        let pairs = groups.flatMap(\.pairs)
        let points = groups.flatMap(\.points)
        #expect(pairs.count > 50 && points.count > 50)
        // The greatest margin is rare between clips.
        #expect(Set(pairs.map(\.margin)).isSuperset(of: [1, 2, 3]))
        #expect(Set(points.map(\.grade)) == [1, 2, 3, 4, 5])
        let first = pairs.count { $0.verdict == .first }
        #expect((pairs.count / 4...pairs.count * 3 / 4).contains(first))
        if task.judgesMedia {
            #expect(pairs.allSatisfy { !$0.labels.causes.isEmpty })
        } else {
            #expect(pairs.allSatisfy { $0.labels.question != nil })
        }
    }

    @Test("have lists of ten candidates in no order of grade", arguments: JudgingTask.ofScenes)
    func lists(task: JudgingTask) throws {
        let maker = TestGroupMaker(plan: AccuracyPlan(seed: 3, groups: 20), task: task)
        let lists = try (0..<8).map { try maker.list($0) }.compactMap(\.list)
        #expect(lists.count >= 6)
        #expect(lists.contains { $0.grades != $0.grades.sorted() })
        #expect(lists.contains { $0.grades != $0.grades.sorted(by: >) })
        for list in lists {
            #expect(list.grades.count == 10)
            let item = try ItemPayload(json: list.payload.utf8, kind: .buildPairs, task: task)
            #expect(item.candidates.count == 10)
        }
    }

    @Test("refuse a picture that they do not have")
    func missing() async throws {
        let maker = TestGroupMaker(plan: AccuracyPlan(seed: 3, groups: 1), task: .imageGeneration)
        let media = try maker.group(0).media
        await #expect(throws: RewardModelingError.self) {
            try await media.image(.path("image_generation/0/99-0.ppm"))
        }
    }

    @Test("have as many candidates as asked for", arguments: JudgingTask.ofScenes, [2, 7, 20])
    func candidates(task: JudgingTask, count: Int) throws {
        let maker = TestGroupMaker(
            plan: AccuracyPlan(seed: 4, groups: 1),
            task: task,
            candidates: count
        )
        // A question with twenty answers is rare.
        let lists = try (0..<40).compactMap { try maker.list($0).list }
        #expect(!lists.isEmpty)
        #expect(lists.allSatisfy { $0.grades.count == count })
    }
}
