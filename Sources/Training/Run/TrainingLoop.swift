import Hashing
import Logging
import TensorKernels
import Transformer

/// The numbers of a run and what is done to them in a step.
///
/// Belongs to the thread of its ``TrainingRun``.
final class TrainingLoop {
    /// What one step gave.
    struct Outcome {
        /// Mean over the step's target tokens.
        let loss: Double
        /// Questions with an answer.
        let examples: Int
        /// The rate the step was taken with.
        let learningRate: Float
    }

    let material: TrainingMaterial
    let plan: StepPlan
    /// Steps done.
    private(set) var step = 0

    private let request: TrainingRequest
    private let pool: ComputeThreadPool
    private let logger: Logger
    private let model: TrainableModel
    /// What is trained in place of the model's own weights, when the method is `lora`.
    private let adapters: LowRankAdapters?
    private let optimizer: AdamWOptimizer
    private let schedule: LearningRateSchedule

    /// Reads the saved state of this run, or else the base model.
    ///
    /// - Throws: ``TrainingError``.
    init(
        request: TrainingRequest,
        material: TrainingMaterial,
        plan: StepPlan,
        pool: ComputeThreadPool,
        logger: Logger
    ) throws(TrainingError) {
        self.request = request
        self.material = material
        self.plan = plan
        self.pool = pool
        self.logger = logger
        let options = request.options
        let parameters = try ParameterBuffer(
            layout: material.layout,
            checkpointDirectory: request.baseDirectory
        )
        let settings = try AdamWSettings(
            beta2: 0.98,
            weightDecay: Float(options.weightDecay),
            maximumNorm: Float(options.clipNorm)
        )
        switch options.method {
        case .full:
            adapters = nil
            optimizer = AdamWOptimizer(
                layout: material.layout,
                settings: settings,
                visionRate: Float(options.visionLearningRateRatio)
            )
        case .lora:
            let adapters = try LowRankAdapters(
                parameters: parameters,
                options: LowRankOptions(
                    rank: options.loraRank,
                    alpha: Float(options.loraAlpha),
                    projections: LowRankOptions.knownProjections
                ),
                seed: options.seed
            )
            let count = adapters.values.count
            optimizer = AdamWOptimizer(count: count, decayingCount: count, settings: settings)
            self.adapters = adapters
        }
        model = TrainableModel(
            config: material.layout.config,
            parameters: parameters,
            pool: pool,
            trained: adapters?.trainedNames
        )
        schedule = try LearningRateSchedule(
            peak: Float(options.learningRate),
            floor: Float(options.learningRate * options.finalLearningRateRatio),
            warmUpSteps: Int((Double(plan.steps) * options.warmupRatio).rounded()),
            totalSteps: plan.steps
        )
        if TrainingState.isPresent(at: statePath) {
            step = try TrainingState(from: statePath, run: material.identity, into: numbers).step
            adapters?.merge(into: model.parameters, pool: pool)
            logger.notice("training resumed", ["step": LogValue(step)])
        }
    }

    /// Changes the weights by the mean gradient of the batches.
    ///
    /// - Throws: ``TrainingError/diverged(step:)``, ``TrainingError/invalidBatch(subject:expected:got:)``.
    func takeStep(_ batches: [LabelledBatch]) throws(TrainingError) -> Outcome {
        let weights = batches.map(\.batch.targetWeight)
        let total = weights.reduce(0, +)
        var loss = 0.0
        for (batch, weight) in zip(batches, weights) where total > 0 {
            let share = weight / total
            let outcome = try model.accumulateGradients(batch.batch, lossScale: Float(share))
            loss += outcome.loss * share
        }
        let rate = schedule.rate(step: step + 1)
        adapters?.takeGradients(from: model.gradients, pool: pool)
        let update = optimizer.update(
            parameters: adapters?.values ?? model.parameters.values,
            gradients: adapters?.gradients ?? model.gradients,
            learningRate: rate,
            pool: pool
        )
        if let adapters {
            adapters.merge(into: model.parameters, pool: pool)
            model.clearGradients()
        }
        guard loss.isFinite, update.isApplied else { throw .diverged(step: step + 1) }
        step += 1
        return Outcome(
            loss: loss,
            examples: batches.reduce(0) { $0 + $1.labels.count },
            learningRate: rate
        )
    }

    /// Whether each answer of a batch is the one the model would write, word for word.
    func evaluate(_ batch: LabelledBatch, into tally: inout ValidationTally) throws(TrainingError) {
        let outcome = try model.evaluate(batch.batch)
        for (label, isRight) in zip(batch.labels, outcome.branchCorrect) {
            tally.add(isRight, group: label.group)
        }
    }

    /// Makes the present state durable; the one before stays until then.
    func save() throws(TrainingError) {
        try TrainingState(step: step, callerBytes: []).write(
            to: statePath,
            run: material.identity,
            numbers: numbers
        )
    }

    /// Writes the finished model and says what it is.
    func finish(loss: Double, validation: [String: Double]) throws(TrainingError) -> TrainingResult
    {
        try ModelDirectoryWriter(
            baseDirectory: request.baseDirectory,
            type: request.savedType
        ).write(model.parameters, to: request.outputDirectory)
        do {
            return TrainingResult(
                digest: try Checkpoint(directory: request.outputDirectory).digest().bytes,
                steps: step,
                loss: loss,
                validation: validation,
                baseDigest: material.baseDigest.bytes
            )
        } catch {
            throw .modelUnusable("\(error)")
        }
    }

    private var statePath: String { request.workDirectory + "/state" }

    private var numbers: TrainedNumbers {
        guard let adapters else {
            return TrainedNumbers(parameters: model.parameters, optimizer: optimizer)
        }
        return TrainedNumbers(
            parameters: adapters.values,
            layout: adapters.digest,
            optimizer: optimizer
        )
    }
}
