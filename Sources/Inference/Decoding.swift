/// How the tokens of an answer are chosen.
package struct Decoding: Sendable, Equatable {
    /// Draws from the model's probabilities.
    package struct Sampling: Sendable, Equatable {
        /// What logits are divided by, above 0.
        package var temperature: Double
        /// The probability that the kept tokens have together, at least; 1 keeps all.
        package var topP: Double
        /// How many tokens are kept; nil for all.
        package var topK: Int?
        /// Decides every draw; see ``CounterRandom``.
        package var seed: UInt64

        /// Describes a way of drawing.
        package init(temperature: Double = 1, topP: Double = 1, topK: Int? = nil, seed: UInt64) {
            self.temperature = temperature
            self.topP = topP
            self.topK = topK
            self.seed = seed
        }
    }

    /// Divides the positive logits of tokens that occurred before, and multiplies the negative ones
    /// (Keskar et al., arXiv 1909.05858); 1 leaves them alone.
    package var repetitionPenalty = 1.0
    /// Whether the tokens of the prompt count as having occurred; else the answer's alone.
    package var penalizesPrompt = true
    /// How tokens are drawn; nil for the most probable one each time.
    package var sampling: Sampling?

    /// The most probable token each time, whatever occurred before.
    package static let greedy = Decoding()

    /// Describes a way of choosing.
    package init(
        repetitionPenalty: Double = 1,
        penalizesPrompt: Bool = true,
        sampling: Sampling? = nil
    ) {
        self.repetitionPenalty = repetitionPenalty
        self.penalizesPrompt = penalizesPrompt
        self.sampling = sampling
    }

    /// Refuses numbers no answer can be written by.
    ///
    /// - Throws: ``InferenceError/invalidRequest(_:)``.
    package func check() throws(InferenceError) {
        func require(_ holds: Bool, _ name: String, _ expected: String, _ got: some Any)
            throws(InferenceError)
        {
            guard holds else {
                throw .invalidRequest("\(name): expected \(expected), got \(got). Correct it.")
            }
        }
        try require(
            repetitionPenalty.isFinite && repetitionPenalty > 0,
            "repetitionPenalty",
            "a number above 0",
            repetitionPenalty
        )
        guard let sampling else { return }
        // As single precision, which logits are divided in.
        let divisor = Float(sampling.temperature)
        try require(
            divisor.isFinite && divisor > 0,
            "temperature",
            "a number above 0",
            sampling.temperature
        )
        try require(
            sampling.topP > 0 && sampling.topP <= 1,
            "topP",
            "a number above 0 and at most 1",
            sampling.topP
        )
        try require(sampling.topK ?? 1 >= 1, "topK", "at least 1", sampling.topK ?? 1)
    }
}
