/// Asks for the text the model writes after a prompt.
package struct GenerateRequest: Sendable {
    /// What the model is shown.
    package var prompt: EnginePrompt
    /// Text the answer is made to start with; the model continues after it.
    package var answerPrefix: String
    /// Most tokens the model may write, at least 1.
    package var maximumTokens: Int
    /// How tokens are chosen.
    package var decoding: Decoding
    /// Higher goes first among the requests of an engine; equal ones in the order they came.
    package var priority: Int

    /// Describes one generation, greedy if not told otherwise.
    package init(
        prompt: EnginePrompt,
        answerPrefix: String = "",
        maximumTokens: Int,
        decoding: Decoding = .greedy,
        priority: Int = 0
    ) {
        self.prompt = prompt
        self.answerPrefix = answerPrefix
        self.maximumTokens = maximumTokens
        self.decoding = decoding
        self.priority = priority
    }
}

/// Why a generation ended.
package enum FinishReason: String, Sendable {
    /// The model ended its turn.
    case stop
    /// The most tokens asked for were written.
    case length
}

/// What the model wrote.
package struct GenerateResponse: Sendable {
    /// The text, without the forced start and without the end-of-turn token.
    package let text: String
    /// Tokens of the prompt, its images and the forced start.
    package let promptTokens: Int
    /// Tokens written, the end-of-turn token not counted.
    package let generatedTokens: Int
    /// Why it ended.
    package let finishReason: FinishReason
    /// Its part of the engine's computing time, without any wait: a step is shared out by rows.
    package let seconds: Double
    /// Of it, cutting and encoding the images.
    package let imageSeconds: Double
    /// Of it, reading the prompt.
    package let prefillSeconds: Double

    /// Assembles a response.
    package init(
        text: String,
        promptTokens: Int,
        generatedTokens: Int,
        finishReason: FinishReason,
        seconds: Double,
        imageSeconds: Double = 0,
        prefillSeconds: Double = 0
    ) {
        self.text = text
        self.promptTokens = promptTokens
        self.generatedTokens = generatedTokens
        self.finishReason = finishReason
        self.seconds = seconds
        self.imageSeconds = imageSeconds
        self.prefillSeconds = prefillSeconds
    }
}
