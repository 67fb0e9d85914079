import Glibc

/// The answers of a ``ChoiceTree`` as sequences to compute, and their probabilities from what these give.
///
/// At each point where answers part, the probability is a softmax over the tokens the answers allow there;
/// an answer's probability is the product along its path, so the probabilities sum to 1. Only the points
/// where answers part are computed. A path through several of them is one sequence, because every row of it
/// can give logits: three sentences that part twice take one pass. What branches off is a sequence of its
/// own that begins with the same rows.
struct ChoicePlan {
    /// Tokens after the prompt, and the points met on the way.
    struct Chain: Equatable {
        /// After the tokens that all answers share.
        var tokens: [Int32]
        /// The tree's nodes whose logits are wanted, with the number of `tokens` before each.
        var points: [Point]
    }

    /// A node where answers part.
    struct Point: Equatable {
        let node: Int
        let depth: Int
    }

    /// A branch and the tokens after it, up to the next point or the end of an answer.
    private struct Edge {
        let path: [Int32]
        let end: Int
    }

    /// The first begins every other one's shared rows.
    private(set) var chains: [Chain] = []

    private let tree: ChoiceTree
    private let choiceCount: Int
    private var shares: [Int: [Double]] = [:]

    /// Plans the questions to the model for `choiceCount` answers.
    init(tree: ChoiceTree, choiceCount: Int) {
        self.tree = tree
        self.choiceCount = choiceCount
        addChains(from: 0, after: [])
    }

    /// Whether every point has its logits.
    var isComplete: Bool { shares.count == tree.branchingNodeCount }

    /// Takes the logits of a point.
    ///
    /// - Throws: ``InferenceError/notFinite``.
    mutating func take(
        _ logits: UnsafeBufferPointer<Float>,
        at node: Int
    ) throws(InferenceError) {
        shares[node] = try softmax(tree.nodes[node].branches.map { logits[Int($0.token)] })
    }

    /// In the order of the choices; sums to 1.
    ///
    /// - Precondition: the plan is complete.
    var probabilities: [Double] {
        var probabilities = [Double](repeating: 0, count: choiceCount)
        share(1, from: 0, into: &probabilities)
        return probabilities
    }

    private func share(_ probability: Double, from node: Int, into probabilities: inout [Double]) {
        guard let shares = shares[node] else { preconditionFailure("every point has its logits") }
        for (edge, share) in zip(edges(of: node), shares) {
            if let choice = tree.nodes[edge.end].choice {
                probabilities[choice] = probability * share
            } else {
                self.share(probability * share, from: edge.end, into: &probabilities)
            }
        }
    }

    /// One chain from `node` to its deepest points, and those that branch off.
    private mutating func addChains(from node: Int, after tokens: [Int32]) {
        var chain = Chain(tokens: tokens, points: [Point(node: node, depth: tokens.count)])
        var forks: [(node: Int, tokens: [Int32])] = []
        var current = node
        while true {
            let onward = edges(of: current).filter { tree.nodes[$0.end].choice == nil }
            let longest = onward.max { pointCount(below: $0.end) < pointCount(below: $1.end) }
            guard let longest else { break }
            for edge in onward where edge.end != longest.end {
                forks.append((edge.end, chain.tokens + edge.path))
            }
            chain.tokens += longest.path
            chain.points.append(Point(node: longest.end, depth: chain.tokens.count))
            current = longest.end
        }
        chains.append(chain)
        for fork in forks { addChains(from: fork.node, after: fork.tokens) }
    }

    private func pointCount(below node: Int) -> Int {
        edges(of: node).reduce(1) {
            $0 + (tree.nodes[$1.end].choice == nil ? pointCount(below: $1.end) : 0)
        }
    }

    private func edges(of node: Int) -> [Edge] {
        tree.nodes[node].branches.map { branch in
            var path = [branch.token]
            var next = branch.node
            while tree.nodes[next].branches.count == 1, let only = tree.nodes[next].branches.first {
                path.append(only.token)
                next = only.node
            }
            return Edge(path: path, end: next)
        }
    }

    /// Softmax of a few logits, in double precision.
    private func softmax(_ logits: [Float]) throws(InferenceError) -> [Double] {
        guard let largest = logits.max(), logits.allSatisfy(\.isFinite) else { throw .notFinite }
        let weights = logits.map { exp(Double($0) - Double(largest)) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }
}
