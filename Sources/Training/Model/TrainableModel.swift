package import TensorKernels
package import Transformer

/// A LLaVA-OneVision model that can be evaluated and differentiated.
///
/// The forward pass is that of `Transformer`; every number the backward pass needs is kept. Memory grows
/// to the largest batch and stays. The bits do not depend on the number of threads. Belongs to one
/// training thread.
package final class TrainableModel {
    /// Dimensions.
    package let config: LlavaConfig
    /// What is trained; whoever changes it does so between two calls.
    package let parameters: ParameterBuffer
    /// Sum of the gradients since ``clearGradients()``, in the layout of the parameters.
    package let gradients: FloatBuffer

    private let pool: ComputeThreadPool
    private let workspace = ProductWorkspace()
    private let plan: BatchPlan
    private let vision: VisionPass
    private let decoder: DecoderPass
    private let head: HeadPass
    private let scratch = BackwardScratch()
    private let trainsVision: Bool

    /// Makes a model around parameters; gradients start at 0.
    ///
    /// - Parameter trained: canonical names of the weights whose gradients are wanted, nil for all; the
    ///   gradients of other matrices stay 0, and a tower without any is not differentiated.
    /// - Precondition: the parameters are laid out for `config`.
    package init(
        config: LlavaConfig,
        parameters: ParameterBuffer,
        pool: ComputeThreadPool,
        trained: Set<String>? = nil
    ) {
        precondition(parameters.layout.config == config, "parameters of this model")
        self.config = config
        self.parameters = parameters
        self.pool = pool
        gradients = FloatBuffer(count: parameters.layout.count)
        let slots = ModelSlots(layout: parameters.layout, trained: trained)
        trainsVision = slots.trainsVision
        plan = BatchPlan(config: config)
        vision = VisionPass(slots: slots, config: config)
        decoder = DecoderPass(slots: slots, config: config.text)
        head = HeadPass(slots: slots, config: config.text)
    }

    /// Bytes of a model with its gradients, and of the activations of a batch, parameters not counted.
    ///
    /// - Parameters:
    ///   - rows: decoder rows of the largest batch.
    ///   - tiles: its distinct tiles.
    ///   - targets: its target tokens.
    package static func byteCount(
        layout: ParameterLayout,
        rows: Int,
        tiles: Int,
        targets: Int
    ) -> Int {
        let config = layout.config
        let (vision, text) = (config.vision, config.text)
        let patches = tiles * vision.gridSide * vision.gridSide
        let visionScratch =
            BackwardScratch.floatsPerRow(
                width: max(vision.hiddenSize, text.hiddenSize),
                queries: max(vision.hiddenSize, text.hiddenSize),
                keys: vision.hiddenSize,
                inner: vision.intermediateSize,
                gate: 0
            )
        let activations =
            patches * (VisionPass.floatsPerRow(config) + visionScratch)
            + rows * (DecoderPass.floatsPerRow(text) + 16)
            + HeadPass.floatCount(text, vocabularySize: layout.vocabularySize, targets: targets)
        // A packed operand is at most a whole activation; growing buffers keep an eighth to spare.
        let widest = max(vision.intermediateSize, text.intermediateSize, layout.vocabularySize)
        let packed = max(patches, rows, targets) * min(widest, max(text.intermediateSize, 1) * 2)
        return (layout.count + activations + activations / 8 + packed) * MemoryLayout<Float>.stride
    }

    /// The loss of a batch and what was predicted right, without gradients.
    ///
    /// - Throws: ``TrainingError/invalidBatch(subject:expected:got:)``; nothing is computed then.
    package func evaluate(_ batch: TrainingBatch) throws(TrainingError) -> StepOutcome {
        try batch.check(against: parameters.layout)
        let context = context()
        forward(batch, context: context)
        head.run(
            plan: plan,
            output: decoder.output,
            rowScales: nil,
            outputGradient: decoder.outputGradient,
            context: context
        )
        return outcome()
    }

    /// As ``evaluate(_:)``, and adds `lossScale` times the gradient of the loss to ``gradients``.
    ///
    /// - Throws: ``TrainingError/invalidBatch(subject:expected:got:)``; nothing is added then.
    package func accumulateGradients(
        _ batch: TrainingBatch,
        lossScale: Float = 1
    ) throws(TrainingError) -> StepOutcome {
        try batch.check(against: parameters.layout)
        let context = context()
        forward(batch, context: context)
        let total = targetWeight
        let rowScales = plan.targetBranches.map { branch -> Float in
            total > 0 ? Float(Double(plan.branchWeights[branch]) * Double(lossScale) / total) : 0
        }
        head.run(
            plan: plan,
            output: decoder.output,
            rowScales: rowScales,
            outputGradient: decoder.outputGradient,
            context: context
        )
        let outcome = outcome()
        guard total > 0 else { return outcome }
        decoder.backward(
            plan: plan,
            featureGradient: vision.featureGradient,
            scratch: scratch,
            context: context
        )
        if trainsVision { vision.backward(plan: plan, scratch: scratch, context: context) }
        return outcome
    }

    /// Sets all gradients to 0.
    package func clearGradients() {
        context().clear(gradients.base, count: gradients.count)
    }

    private func context() -> PassContext {
        PassContext(
            parameters: parameters.values.base,
            gradients: gradients.base,
            workspace: workspace,
            pool: pool
        )
    }

    private func forward(_ batch: TrainingBatch, context: PassContext) {
        plan.load(batch)
        vision.forward(batch.tiles, plan: plan, context: context)
        decoder.forward(plan: plan, features: vision.features, context: context)
    }

    private var targetWeight: Double {
        plan.targetBranches.reduce(0) { $0 + Double(plan.branchWeights[$1]) }
    }

    private func outcome() -> StepOutcome {
        let weights = plan.branchWeights
        var losses = [Double](repeating: 0, count: weights.count)
        var counts = [Int](repeating: 0, count: weights.count)
        var hits = [Int](repeating: 0, count: weights.count)
        for (target, branch) in plan.targetBranches.enumerated() {
            losses[branch] += Double(head.losses.base[target])
            counts[branch] += 1
            hits[branch] += Int(head.correct.base[target])
        }
        var sum = 0.0
        for branch in weights.indices { sum += Double(weights[branch]) * losses[branch] }
        let total = targetWeight
        return StepOutcome(
            loss: total > 0 ? sum / total : 0,
            weight: total,
            targets: plan.targetCount,
            correct: hits.reduce(0, +),
            branchLosses: weights.indices.map { branch in
                counts[branch] > 0 ? losses[branch] / Double(counts[branch]) : 0
            },
            branchCorrect: weights.indices.map { counts[$0] > 0 && hits[$0] == counts[$0] }
        )
    }
}
