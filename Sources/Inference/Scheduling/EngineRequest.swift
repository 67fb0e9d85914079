import Transformer

/// A request on its way to the engine's thread: checked, its prompt in tokens, no pixel touched.
struct EngineRequest: Sendable {
    /// What is asked.
    enum Question: Sendable {
        /// An answer in words.
        case generate(
            prefix: [Int32],
            maximumTokens: Int,
            decoding: Decoding,
            onText: @Sendable (String) -> Void,
            reply: Reply<GenerateResponse>
        )
        /// Probabilities of answers.
        case choose(ChoiceTree, choiceCount: Int, reply: Reply<ChooseResponse>)
    }

    let prompt: EnginePrompt
    let plan: InputBuilder.Plan
    /// Higher goes first.
    let priority: Int
    let question: Question

    /// Answers with an error.
    func reject(_ error: InferenceError) {
        switch question {
        case .generate(_, _, _, _, let reply): reply.give(.failure(error))
        case .choose(_, _, let reply): reply.give(.failure(error))
        }
    }
}
