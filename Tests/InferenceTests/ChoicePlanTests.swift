import Testing

@testable import Inference

@Suite("Choice plan")
struct ChoicePlanTests {
    private func plan(_ answers: [[Int32]]) throws -> ChoicePlan {
        ChoicePlan(tree: try ChoiceTree(answers: answers, endOfTurn: 0), choiceCount: answers.count)
    }

    @Test("three sentences that part twice on one path are one sequence")
    func onePath() throws {
        // "Image 1 is", "Image 2 is", "Both": parted at the start, and after "Image ".
        let plan = try plan([[1, 9, 11, 5], [1, 9, 12, 5], [2, 6]])
        #expect(plan.chains.count == 1)
        #expect(plan.chains[0].tokens == [1, 9])
        #expect(plan.chains[0].points.map(\.depth) == [0, 2])
    }

    @Test("what branches off is a sequence of its own that begins with the same tokens")
    func forks() throws {
        let plan = try plan([[1, 3], [1, 4], [2, 3], [2, 4], [2, 5, 6], [2, 5, 7]])
        #expect(plan.chains.map(\.tokens) == [[2, 5], [1]])
        #expect(plan.chains.map { $0.points.map(\.depth) } == [[0, 1, 2], [1]])
    }

    @Test("probabilities are products along the paths")
    func probabilities() throws {
        var plan = try plan([[1, 3], [1, 4], [2]])
        let logits = [Float](repeating: 0, count: 8)
        for chain in plan.chains {
            for point in chain.points {
                #expect(!plan.isComplete)
                try logits.withUnsafeBufferPointer { try plan.take($0, at: point.node) }
            }
        }
        #expect(plan.isComplete)
        #expect(plan.probabilities == [0.25, 0.25, 0.5])
    }

    @Test("logits that are no numbers are refused")
    func notFinite() throws {
        var plan = try plan([[1], [2]])
        let logits: [Float] = [0, .nan, 0]
        #expect(throws: InferenceError.notFinite) {
            try logits.withUnsafeBufferPointer { try plan.take($0, at: 0) }
        }
    }
}
