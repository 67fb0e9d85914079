/// How far a training is: the data of one event `training_progress`.
package struct TrainingProgressRow: Sendable, Equatable {
    /// `training`, or `reading` while the dataset is read; only steps of training count as progress.
    package var phase: String
    /// Optimizer steps done, and in all; while reading, records.
    package var step: Int
    package var steps: Int
    /// Mean loss of the latest steps.
    package var loss: Double
    package var learningRate: Double
    package var examplesPerSecond: Double
    /// Estimated time to the end; nil while it is not known.
    package var secondsLeft: Double?
    /// Accuracies by task and kind, such as `image_generation/pair_rank`; empty between validations.
    package var validation: [String: Double]
    /// Whether the state of this step is on disk, so that a killed run goes on from here.
    package var isCheckpoint: Bool

    package init(
        phase: String = "training",
        step: Int,
        steps: Int,
        loss: Double,
        learningRate: Double,
        examplesPerSecond: Double,
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

    /// The object that `rewardd.report_progress` stores. A number that is not finite is null.
    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.field("phase", phase)
            writer.field("step", step)
            writer.field("steps", steps)
            writer.field("loss", loss)
            writer.field("learning_rate", learningRate)
            writer.field("examples_per_second", examplesPerSecond)
            writer.field("seconds_left", secondsLeft)
            if !validation.isEmpty { writer.field("validation", validation) }
            if isCheckpoint { writer.field("checkpoint", json: "true") }
        }
        return writer.bytes
    }
}
