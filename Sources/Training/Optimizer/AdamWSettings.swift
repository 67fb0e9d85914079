/// The constants of AdamW (Loshchilov and Hutter 2019) and of clipping.
package struct AdamWSettings: Sendable, Equatable {
    /// Decay of the first moments.
    package let beta1: Float
    /// Decay of the second moments.
    package let beta2: Float
    /// Added to the root of the second moments.
    package let epsilon: Float
    /// Decoupled decay of matrices, times the learning rate.
    package let weightDecay: Float
    /// Gradients of a larger global norm are scaled down to it; nil leaves them.
    package let maximumNorm: Float?

    /// Takes the constants; the defaults are those of LLaVA's trainer where it names any.
    ///
    /// - Throws: ``TrainingError/invalidOption(name:expected:got:)``.
    package init(
        beta1: Float = 0.9,
        beta2: Float = 0.999,
        epsilon: Float = 1e-8,
        weightDecay: Float = 0,
        maximumNorm: Float? = 1
    ) throws(TrainingError) {
        for (name, value) in [("beta1", beta1), ("beta2", beta2)]
        where !(value >= 0 && value < 1) {
            throw .invalidOption(
                name: name,
                expected: "a number from 0 to below 1",
                got: "\(value)"
            )
        }
        guard epsilon > 0, epsilon.isFinite else {
            throw .invalidOption(name: "epsilon", expected: "a positive number", got: "\(epsilon)")
        }
        guard weightDecay >= 0, weightDecay.isFinite else {
            throw .invalidOption(
                name: "weight decay",
                expected: "a number from 0",
                got: "\(weightDecay)"
            )
        }
        if let maximumNorm, !(maximumNorm > 0) {
            throw .invalidOption(
                name: "gradient norm",
                expected: "a positive number",
                got: "\(maximumNorm)"
            )
        }
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.maximumNorm = maximumNorm
    }
}
