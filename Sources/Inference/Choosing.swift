import Glibc
import Transformer

extension EngineSession {
    /// Answers a ``ChooseRequest``: the probability of each answer under constrained decoding.
    ///
    /// Prefix and answer are tokenised together, as the model would have written them. At each point where
    /// answers part, the probability is a softmax over the tokens the answers allow there; an answer's
    /// probability is the product along its path, so the probabilities sum to 1. Only the points where
    /// answers part are computed; the sequence is cut back between them.
    ///
    /// - Throws: ``InferenceError``.
    func choose(
        _ request: ChooseRequest,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ChooseResponse {
        let start = ContinuousClock.now
        try cancellation.check()
        let tree = try choiceTree(for: request)
        let plan = try builder.plan(request.prompt)
        try checkRoom(plan, answerTokens: tree.longest)

        var input = try prepare(plan, prompt: request.prompt, cancellation: cancellation)
        input.append(tokens: tree.shared)
        var probabilities = [Double](repeating: 0, count: request.choices.count)
        let logits = try prefill(input, cancellation: cancellation)
        try descend(
            tree,
            from: 0,
            input: input,
            logits: logits,
            probability: 1,
            into: &probabilities,
            cancellation: cancellation
        )
        return ChooseResponse(
            probabilities: probabilities,
            promptTokens: input.count,
            seconds: secondsSince(start)
        )
    }

    /// The answers of a request as a tree of tokens.
    func choiceTree(for request: ChooseRequest) throws(InferenceError) -> ChoiceTree {
        var answers: [[Int32]] = []
        for choice in request.choices {
            answers.append(try builder.answerTokens(request.answerPrefix + choice))
        }
        return try ChoiceTree(answers: answers, endOfTurn: endOfTurn)
    }

    /// Shares `probability` among the answers below a node where answers part.
    ///
    /// `logits` are those after the last row of `input`, which the sequence holds.
    private func descend(
        _ tree: ChoiceTree,
        from node: Int,
        input: ModelInput,
        logits: UnsafeBufferPointer<Float>,
        probability: Double,
        into probabilities: inout [Double],
        cancellation: CancellationFlag
    ) throws(InferenceError) {
        let branches = tree.nodes[node].branches
        let shares = try softmax(branches.map { logits[Int($0.token)] })
        for (branch, share) in zip(branches, shares) {
            var path = [branch.token]
            var next = branch.node
            while tree.nodes[next].branches.count == 1, let only = tree.nodes[next].branches.first {
                path.append(only.token)
                next = only.node
            }
            if let choice = tree.nodes[next].choice {
                probabilities[choice] = probability * share
                continue
            }
            try cancellation.check()
            var longer = input
            longer.append(tokens: path)
            sequence.truncate(to: input.count)
            let logits = try advance(to: longer, cancellation: cancellation)
            try descend(
                tree,
                from: next,
                input: longer,
                logits: logits,
                probability: probability * share,
                into: &probabilities,
                cancellation: cancellation
            )
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
