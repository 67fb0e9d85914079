import Inference
import Testing

@Suite("Choice tree")
struct ChoiceTreeTests {
    @Test("shares the common start and branches after it")
    func branching() throws {
        let tree = try ChoiceTree(answers: [[1, 2, 3], [1, 2, 4], [1, 5]], endOfTurn: 9)
        #expect(tree.shared == [1])
        #expect(tree.nodes[0].branches.map(\.token) == [2, 5])
        #expect(tree.branchingNodeCount == 2)
        #expect(tree.longest == 3)
    }

    @Test("an answer that begins another ends with the end of the turn")
    func prefixAnswers() throws {
        let tree = try ChoiceTree(answers: [[1], [1, 2]], endOfTurn: 9)
        #expect(tree.shared == [1])
        #expect(tree.nodes[0].branches.map(\.token) == [2, 9])
        #expect(tree.longest == 2)
    }

    @Test("an empty answer is the end of the turn")
    func emptyAnswer() throws {
        let tree = try ChoiceTree(answers: [[], [4]], endOfTurn: 9)
        #expect(tree.shared == [])
        #expect(tree.nodes[0].branches.map(\.token) == [4, 9])
    }

    @Test(
        "refuses answers that leave no choice",
        arguments: [[[1]], [], [[1, 2], [1, 2]]] as [[[Int32]]]
    )
    func refusals(answers: [[Int32]]) {
        #expect(throws: InferenceError.self) {
            try ChoiceTree(answers: answers, endOfTurn: 9)
        }
    }
}
