/// What a finished training came to.
package struct TrainingResult: Sendable, Equatable {
    /// SHA-256 over the files of the model in the output directory, as an engine computes it.
    package var digest: [UInt8]
    /// Optimizer steps in all.
    package var steps: Int
    /// Mean loss at the end.
    package var loss: Double
    /// Accuracies of the last validation by task and kind.
    package var validation: [String: Double]
    /// SHA-256 over the files of the base, nil when it was not computed.
    package var baseDigest: [UInt8]?

    package init(
        digest: [UInt8],
        steps: Int,
        loss: Double,
        validation: [String: Double],
        baseDigest: [UInt8]? = nil
    ) {
        self.digest = digest
        self.steps = steps
        self.loss = loss
        self.validation = validation
        self.baseDigest = baseDigest
    }
}
