import TensorKernels
import Transformer

/// One SigLIP layer with what its backward pass needs.
///
/// norm → attention → residual → norm → MLP (tanh GELU) → residual
/// (`modeling_siglip.py: SiglipEncoderLayer.forward`).
final class VisionLayerPass {
    let input = GrowingBuffer<Float>()  // [rows, width]
    private let norm1 = NormTape()
    private let normed1 = GrowingBuffer<Float>()  // [rows, width]
    private let attention = AttentionTape()
    private let middle = GrowingBuffer<Float>()  // [rows, width], between the two blocks
    private let norm2 = NormTape()
    private let normed2 = GrowingBuffer<Float>()  // [rows, width]
    private let inner = GrowingBuffer<Float>()  // [rows, intermediate], before the GELU
    private let activated = GrowingBuffer<Float>()  // [rows, intermediate]

    private let slots: VisionLayerSlots
    private let config: VisionConfig

    /// Makes a layer without memory.
    init(slots: VisionLayerSlots, config: VisionConfig) {
        self.slots = slots
        self.config = config
    }

    /// Makes room for `rows` patches.
    func require(rows: Int, shape: AttentionShape) {
        for buffer in [input, normed1, middle, normed2] { buffer.require(rows * config.hiddenSize) }
        norm1.require(rows: rows)
        norm2.require(rows: rows)
        attention.require(rows: rows, shape: shape)
        inner.require(rows * config.intermediateSize)
        activated.require(rows * config.intermediateSize)
    }

    /// Floats kept for each row.
    static func floatsPerRow(_ config: VisionConfig) -> Int {
        4 * config.hiddenSize + 4 + 2 * config.intermediateSize
            + AttentionTape.floatsPerRow(
                heads: config.headCount,
                keyValueHeads: config.headCount,
                headDimension: config.hiddenSize / config.headCount
            )
    }

    /// `input` → `output`, [rows, width].
    func forward(
        rows: Int,
        shape: AttentionShape,
        into output: GrowingBuffer<Float>,
        context: PassContext
    ) {
        let width = config.hiddenSize
        let epsilon = config.layerNormEpsilon
        context.normalize(
            slots.layerNorm1,
            input,
            rows: rows,
            columns: width,
            epsilon: epsilon,
            into: normed1,
            tape: norm1
        )
        context.apply(slots.qProj, normed1, rows: rows, into: attention.queries)
        context.apply(slots.kProj, normed1, rows: rows, into: attention.keys)
        context.apply(slots.vProj, normed1, rows: rows, into: attention.values)
        context.attend(attention, shape: shape)
        context.copy(input, into: middle, count: rows * width)
        context.apply(
            slots.outProj,
            attention.attended,
            rows: rows,
            into: middle,
            accumulate: true
        )

        context.normalize(
            slots.layerNorm2,
            middle,
            rows: rows,
            columns: width,
            epsilon: epsilon,
            into: normed2,
            tape: norm2
        )
        context.apply(slots.fc1, normed2, rows: rows, into: inner)
        geluTanhForward(
            inner.base,
            into: activated.base,
            count: rows * config.intermediateSize,
            pool: context.pool
        )
        context.copy(middle, into: output, count: rows * width)
        context.apply(slots.fc2, activated, rows: rows, into: output, accumulate: true)
    }

    /// `residual` [rows, width] holds the gradient of the output and then that of the input.
    func backward(
        rows: Int,
        shape: AttentionShape,
        residual: GrowingBuffer<Float>,
        scratch: BackwardScratch,
        context: PassContext
    ) {
        mlpBackward(rows: rows, residual: residual, scratch: scratch, context: context)
        context.addWeightGradient(slots.outProj, x: attention.attended, dy: residual, rows: rows)
        context.inputGradient(slots.outProj, dy: residual, rows: rows, into: scratch.attended)
        context.attendBackward(attention, shape: shape, scratch: scratch)
        let projections = [
            (slots.qProj, scratch.queries), (slots.kProj, scratch.keys),
            (slots.vProj, scratch.values),
        ]
        for (index, (slot, gradient)) in projections.enumerated() {
            context.addWeightGradient(slot, x: normed1, dy: gradient, rows: rows)
            context.inputGradient(
                slot,
                dy: gradient,
                rows: rows,
                into: scratch.normed,
                accumulate: index > 0
            )
        }
        context.normalizeBackward(
            slots.layerNorm1,
            x: input,
            dy: scratch.normed,
            rows: rows,
            columns: config.hiddenSize,
            tape: norm1,
            addingTo: residual
        )
    }

    private func mlpBackward(
        rows: Int,
        residual: GrowingBuffer<Float>,
        scratch: BackwardScratch,
        context: PassContext
    ) {
        context.addWeightGradient(slots.fc2, x: activated, dy: residual, rows: rows)
        context.inputGradient(slots.fc2, dy: residual, rows: rows, into: scratch.inner)
        geluTanhBackward(
            inner.base,
            dy: scratch.inner.base,
            into: scratch.inner.base,
            count: rows * config.intermediateSize,
            pool: context.pool
        )
        context.addWeightGradient(slots.fc1, x: normed2, dy: scratch.inner, rows: rows)
        context.inputGradient(slots.fc1, dy: scratch.inner, rows: rows, into: scratch.normed)
        context.normalizeBackward(
            slots.layerNorm2,
            x: middle,
            dy: scratch.normed,
            rows: rows,
            columns: config.hiddenSize,
            tape: norm2,
            addingTo: residual
        )
    }
}
