import TensorKernels
import Transformer

/// The Qwen2 decoder over all rows of a batch at once, from embeddings to the last layer, forward and
/// backward.
///
/// `Transformer.TextDecoder` with every intermediate kept and many sequences side by side.
final class DecoderPass {
    /// [targets, hidden], of the last layer, before the final norm, on the rows that predict something.
    let output = GrowingBuffer<Float>()
    /// Gradient of `output`.
    let outputGradient = GrowingBuffer<Float>()
    private let residual = GrowingBuffer<Float>()  // [rows, hidden], gradient between layers

    private let layers: [DecoderLayerPass]
    private var table: RotaryTable

    private let slots: ModelSlots
    private let config: TextConfig

    /// Makes a decoder without memory.
    init(slots: ModelSlots, config: TextConfig) {
        self.slots = slots
        self.config = config
        layers = slots.decoderLayers.map { DecoderLayerPass(slots: $0, config: config) }
        table = RotaryTable(
            headDimension: config.headDimension,
            theta: config.ropeTheta,
            positions: 256
        )
    }

    /// Floats kept for each row, gradients included.
    static func floatsPerRow(_ config: TextConfig) -> Int {
        2 * config.hiddenSize + config.layerCount * DecoderLayerPass.floatsPerRow(config)
            + BackwardScratch.floatsPerRow(
                width: config.hiddenSize,
                queries: config.headCount * config.headDimension,
                keys: config.keyValueHeadCount * config.headDimension,
                inner: config.intermediateSize,
                gate: config.intermediateSize
            )
    }

    private func shape(_ plan: BatchPlan) -> AttentionShape {
        AttentionShape(
            heads: config.headCount,
            keyValueHeads: config.keyValueHeadCount,
            headDimension: config.headDimension,
            sequences: plan.sequences
        )
    }

    private func rows(_ plan: BatchPlan) -> DecoderRows {
        DecoderRows(
            count: plan.rows,
            shape: shape(plan),
            table: table,
            positions: plan.positions
        )
    }

    /// Token embeddings and the features of tiles → `output`.
    func forward(plan: BatchPlan, features: GrowingBuffer<Float>, context: PassContext) {
        require(plan)
        guard plan.targetCount > 0 else { return }
        embed(plan, features: features, context: context)
        let rows = rows(plan)
        for (index, layer) in layers.enumerated() {
            let isLast = index + 1 == layers.count
            layer.forward(
                rows,
                wanted: isLast ? plan.targetRows : nil,
                into: isLast ? output : layers[index + 1].input,
                context: context
            )
        }
    }

    /// `outputGradient` → gradients of the decoder, and `featureGradient`.
    func backward(
        plan: BatchPlan,
        featureGradient: GrowingBuffer<Float>,
        scratch: BackwardScratch,
        context: PassContext
    ) {
        let rows = rows(plan)
        scratch.require(
            rows: rows.count,
            width: config.hiddenSize,
            queries: rows.shape.queryWidth,
            keys: rows.shape.keyWidth,
            inner: config.intermediateSize,
            gate: config.intermediateSize
        )
        for (index, layer) in layers.enumerated().reversed() {
            let isLast = index + 1 == layers.count
            layer.backward(
                rows,
                wanted: isLast ? plan.targetRows : nil,
                outputGradient: isLast ? outputGradient : residual,
                residual: residual,
                scratch: scratch,
                context: context
            )
        }
        embedBackward(plan, featureGradient: featureGradient, context: context)
    }

    private func require(_ plan: BatchPlan) {
        output.require(plan.targetCount * config.hiddenSize)
        outputGradient.require(plan.targetCount * config.hiddenSize)
        residual.require(plan.rows * config.hiddenSize)
        let shape = shape(plan)
        for (index, layer) in layers.enumerated() {
            layer.require(
                rows: plan.rows,
                wanted: index + 1 == layers.count ? plan.targetRows : nil,
                shape: shape
            )
        }
        guard plan.positionCount > table.positions else { return }
        table = RotaryTable(
            headDimension: config.headDimension,
            theta: config.ropeTheta,
            positions: max(plan.positionCount, 2 * table.positions)
        )
    }

    private func embed(
        _ plan: BatchPlan,
        features: GrowingBuffer<Float>,
        context: PassContext
    ) {
        let width = config.hiddenSize
        let target = (layers.first?.input ?? residual).base
        let (tokens, newlines) = (plan.tokens.base, plan.newlines.base)
        let table = context.parameters + slots.embedTokens
        let newline = context.parameters + slots.imageNewline
        context.forEachRow(rows: plan.rows, columns: width) { row in
            let line = target + row * width
            if tokens[row] >= 0 {
                line.update(from: table + Int(tokens[row]) * width, count: width)
            } else if newlines[row] >= 0 {
                line.update(from: newline, count: width)
            }
        }
        context.blend(
            features.base,
            starts: plan.tapStarts,
            sources: plan.tapRows,
            weights: plan.tapWeights,
            rows: plan.rows,
            columns: width,
            clears: false,
            into: target
        )
    }

    /// The transpose of `embed`.
    private func embedBackward(
        _ plan: BatchPlan,
        featureGradient: GrowingBuffer<Float>,
        context: PassContext
    ) {
        let width = config.hiddenSize
        scatterAddRows(
            residual.base,
            rows: plan.rows,
            columns: width,
            indices: plan.tokens.base,
            to: context.gradients + slots.embedTokens,
            pool: context.pool
        )
        scatterAddRows(
            residual.base,
            rows: plan.rows,
            columns: width,
            indices: plan.newlines.base,
            to: context.gradients + slots.imageNewline,
            pool: context.pool
        )
        guard slots.trainsVision else { return }
        context.blend(
            residual.base,
            starts: plan.useStarts,
            sources: plan.useRows,
            weights: plan.useWeights,
            rows: plan.featureRows,
            columns: width,
            clears: true,
            into: featureGradient.base
        )
    }
}
