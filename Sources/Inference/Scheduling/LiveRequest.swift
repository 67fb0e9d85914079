import Transformer

/// A request on the engine's thread: what its sequences read, what has come of it, what it cost.
final class LiveRequest {
    /// One sequence of the request.
    struct Sequence {
        /// What it reads; images stay awaited until they are encoded.
        var input: ModelInput
        /// Where its keys and values are.
        let state: SequenceState
        /// For choices: which points its rows decide.
        let points: [(row: Int, node: Int)]
    }

    /// What the request has come to so far.
    enum Progress {
        case generate(WrittenAnswer, reply: Reply<GenerateResponse>)
        case choose(ChoicePlan, reply: Reply<ChooseResponse>)
    }

    let cancellation: CancellationFlag
    let prompt: EnginePrompt
    let visuals: [PlannedVisual]
    /// Rows of the prompt and the start of the answer.
    let promptTokens: Int
    var progress: Progress
    /// Chooses the tokens of an answer in words.
    var sampler: TokenSampler
    /// By the scheduler's ids.
    var sequences: [Int: Sequence] = [:]

    /// Its part of the engine's time; a step is shared out by rows.
    var seconds = 0.0
    /// Of these, encoding images, and reading the prompt.
    var imageSeconds = 0.0
    var prefillSeconds = 0.0

    init(
        cancellation: CancellationFlag,
        prompt: EnginePrompt,
        visuals: [PlannedVisual],
        promptTokens: Int,
        progress: Progress,
        sampler: TokenSampler
    ) {
        self.cancellation = cancellation
        self.prompt = prompt
        self.visuals = visuals
        self.promptTokens = promptTokens
        self.progress = progress
        self.sampler = sampler
    }

    /// Puts features in the place of those awaited, in every sequence.
    func place(_ features: ImageFeatures, for key: String) {
        for id in sequences.keys { sequences[id]?.input.place(features, for: key) }
    }

    /// Adds its part of a step.
    func charge(_ seconds: Double) {
        self.seconds += seconds
        if case .generate(let answer, _) = progress, answer.count == 0 { prefillSeconds += seconds }
    }

    /// Answers with an error.
    func fail(_ error: InferenceError) {
        switch progress {
        case .generate(_, let reply): reply.give(.failure(error))
        case .choose(_, let reply): reply.give(.failure(error))
        }
    }

    /// Answers when nothing is left to compute.
    func answer(_ reason: FinishReason = .stop) {
        switch progress {
        case .generate(let answer, let reply):
            reply.give(
                .success(
                    GenerateResponse(
                        text: answer.text,
                        promptTokens: promptTokens,
                        generatedTokens: answer.count,
                        finishReason: reason,
                        seconds: seconds,
                        imageSeconds: imageSeconds,
                        prefillSeconds: prefillSeconds
                    )
                )
            )
        case .choose(let plan, let reply):
            reply.give(
                .success(
                    ChooseResponse(
                        probabilities: plan.probabilities,
                        promptTokens: promptTokens,
                        seconds: seconds
                    )
                )
            )
        }
    }
}
