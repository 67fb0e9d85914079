/// How far a training is.
package struct TrainingProgress: Sendable, Equatable {
    /// What a training is doing. The raw values are the words of the events.
    package enum Phase: String, Sendable {
        /// Reads the dataset and prepares its media.
        case reading
        /// Takes optimizer steps.
        case training
    }

    package var phase: Phase
    /// Optimizer steps done, and in all; while reading, records.
    package var step: Int
    package var steps: Int
    /// Mean loss since the last report.
    package var loss: Double
    package var learningRate: Double
    package var examplesPerSecond: Double
    /// Estimated time to the end; nil while it is not known.
    package var secondsLeft: Double?
    /// Accuracies by task and kind, such as `image_generation/pair_rank`; empty between validations.
    package var validation: [String: Double]
    /// Whether the state of this step is on disk.
    package var isCheckpoint: Bool

    package init(
        phase: Phase = .training,
        step: Int,
        steps: Int,
        loss: Double = 0,
        learningRate: Double = 0,
        examplesPerSecond: Double = 0,
        secondsLeft: Double? = nil,
        validation: [String: Double] = [:],
        isCheckpoint: Bool = false
    ) {
        self.phase = phase
        self.step = step
        self.steps = steps
        self.loss = loss
        self.learningRate = learningRate
        self.examplesPerSecond = examplesPerSecond
        self.secondsLeft = secondsLeft
        self.validation = validation
        self.isCheckpoint = isCheckpoint
    }
}
