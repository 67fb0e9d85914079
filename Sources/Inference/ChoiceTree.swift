/// The answers of a ``ChooseRequest`` as a tree of tokens.
///
/// Each answer is one path from the root to a leaf. An answer whose tokens begin another's ends with the
/// end-of-turn token, which is how the model itself would tell the two apart.
package struct ChoiceTree: Sendable {
    /// A point after some tokens, where the model could write one of `branches`.
    package struct Node: Sendable {
        /// What may follow, ordered by token id; empty at a leaf.
        package fileprivate(set) var branches: [Branch] = []
        /// The answer that ends here; set at leaves only.
        package fileprivate(set) var choice: Int?
    }

    /// One token and the node after it.
    package struct Branch: Sendable {
        package let token: Int32
        package let node: Int
    }

    /// Tokens every answer starts with.
    package let shared: [Int32]
    /// `nodes[0]` is the root, after the shared tokens.
    package private(set) var nodes: [Node] = [Node()]
    /// Tokens of the longest answer.
    package let longest: Int

    /// Builds the tree of answers given as token sequences.
    ///
    /// - Throws: ``InferenceError/invalidRequest(_:)`` for fewer than two answers, or two of the same
    ///   tokens.
    package init(answers: [[Int32]], endOfTurn: Int32) throws(InferenceError) {
        guard answers.count >= 2 else {
            throw .invalidRequest(
                "choices: expected at least 2, got \(answers.count). Use generate for one answer."
            )
        }
        let ended = answers.enumerated().map { index, answer in
            let beginsAnother = answers.enumerated().contains { other, candidate in
                other != index && candidate.count > answer.count && candidate.starts(with: answer)
            }
            return beginsAnother ? answer + [endOfTurn] : answer
        }
        guard Set(ended).count == ended.count else {
            throw .invalidRequest(
                "choices: expected distinct answers, got two of the same tokens. Remove one."
            )
        }
        shared = ChoiceTree.commonPrefix(ended)
        longest = ended.map(\.count).max() ?? 0
        for (choice, answer) in ended.enumerated() {
            insert(answer.dropFirst(shared.count), choice: choice)
        }
    }

    /// The nodes where the model has a choice.
    package var branchingNodeCount: Int { nodes.count { $0.branches.count > 1 } }

    private mutating func insert(_ tokens: ArraySlice<Int32>, choice: Int) {
        var current = 0
        for token in tokens {
            if let branch = nodes[current].branches.first(where: { $0.token == token }) {
                current = branch.node
            } else {
                nodes.append(Node())
                let branch = Branch(token: token, node: nodes.count - 1)
                let position =
                    nodes[current].branches.firstIndex { $0.token > token }
                    ?? nodes[current].branches.endIndex
                nodes[current].branches.insert(branch, at: position)
                current = branch.node
            }
        }
        nodes[current].choice = choice
    }

    private static func commonPrefix(_ answers: [[Int32]]) -> [Int32] {
        var prefix = answers.first ?? []
        for answer in answers {
            let equal = zip(prefix, answer).prefix { $0 == $1 }.count
            prefix.removeLast(prefix.count - equal)
        }
        return prefix
    }
}
