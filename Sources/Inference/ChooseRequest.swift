/// Asks how likely each of a few given answers is, when the model may write nothing else.
package struct ChooseRequest: Sendable {
    /// What the model is shown.
    package var prompt: EnginePrompt
    /// Text every answer starts with.
    package var answerPrefix: String
    /// The answers after the prefix: at least two, distinct.
    package var choices: [String]
    /// Higher goes first among the requests of an engine; equal ones in the order they came.
    package var priority: Int

    /// Describes one constrained decision.
    package init(
        prompt: EnginePrompt,
        answerPrefix: String = "",
        choices: [String],
        priority: Int = 0
    ) {
        self.prompt = prompt
        self.answerPrefix = answerPrefix
        self.choices = choices
        self.priority = priority
    }
}

/// How likely each answer is.
package struct ChooseResponse: Sendable {
    /// In the order of the choices; sums to 1.
    package let probabilities: [Double]
    /// Tokens of the prompt, its images and the start all answers share.
    package let promptTokens: Int
    /// Its part of the engine's computing time, without any wait.
    package let seconds: Double

    /// Assembles a response.
    package init(probabilities: [Double], promptTokens: Int, seconds: Double) {
        self.probabilities = probabilities
        self.promptTokens = promptTokens
        self.seconds = seconds
    }
}
