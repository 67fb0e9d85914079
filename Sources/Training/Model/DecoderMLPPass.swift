import TensorKernels
import Transformer

/// The second half of a Qwen2 layer with what its backward pass needs: norm → SwiGLU → residual.
final class DecoderMLPPass {
    /// [rows, hidden], the residual stream between the two halves.
    let middle = GrowingBuffer<Float>()
    private let norm = NormTape()
    private let normed = GrowingBuffer<Float>()  // [rows, hidden]
    private let gate = GrowingBuffer<Float>()  // [rows, intermediate]
    private let up = GrowingBuffer<Float>()  // [rows, intermediate]
    private let activated = GrowingBuffer<Float>()  // [rows, intermediate]

    private let slots: DecoderLayerSlots
    private let config: TextConfig

    /// Makes it without memory.
    init(slots: DecoderLayerSlots, config: TextConfig) {
        self.slots = slots
        self.config = config
    }

    /// Makes room for `rows`.
    func require(rows: Int) {
        middle.require(rows * config.hiddenSize)
        normed.require(rows * config.hiddenSize)
        norm.require(rows: rows)
        for buffer in [gate, up, activated] { buffer.require(rows * config.intermediateSize) }
    }

    /// Floats kept for each row.
    static func floatsPerRow(_ config: TextConfig) -> Int {
        2 * config.hiddenSize + 2 + 3 * config.intermediateSize
    }

    /// `middle` → `output`, [rows, hidden].
    func forward(rows: Int, into output: GrowingBuffer<Float>, context: PassContext) {
        context.normalize(
            slots.postAttentionLayernorm,
            middle,
            rows: rows,
            columns: config.hiddenSize,
            epsilon: config.rmsNormEpsilon,
            into: normed,
            tape: norm
        )
        context.apply(slots.gateProj, normed, rows: rows, into: gate)
        context.apply(slots.upProj, normed, rows: rows, into: up)
        siluMultiplyForward(
            gate: gate.base,
            up: up.base,
            into: activated.base,
            count: rows * config.intermediateSize,
            pool: context.pool
        )
        context.copy(middle, into: output, count: rows * config.hiddenSize)
        context.apply(slots.downProj, activated, rows: rows, into: output, accumulate: true)
    }

    /// `residual` [rows, hidden] holds the gradient of the output and then that of `middle`.
    func backward(
        rows: Int,
        residual: GrowingBuffer<Float>,
        scratch: BackwardScratch,
        context: PassContext
    ) {
        context.addWeightGradient(slots.downProj, x: activated, dy: residual, rows: rows)
        context.inputGradient(slots.downProj, dy: residual, rows: rows, into: scratch.inner)
        // dGate takes a buffer of its own and dUp the place of dy.
        siluMultiplyBackward(
            gate: gate.base,
            up: up.base,
            dy: scratch.inner.base,
            into: scratch.gate.base,
            dUp: scratch.inner.base,
            count: rows * config.intermediateSize,
            pool: context.pool
        )
        context.addWeightGradient(slots.gateProj, x: normed, dy: scratch.gate, rows: rows)
        context.addWeightGradient(slots.upProj, x: normed, dy: scratch.inner, rows: rows)
        context.inputGradient(slots.gateProj, dy: scratch.gate, rows: rows, into: scratch.normed)
        context.inputGradient(
            slots.upProj,
            dy: scratch.inner,
            rows: rows,
            into: scratch.normed,
            accumulate: true
        )
        context.normalizeBackward(
            slots.postAttentionLayernorm,
            x: middle,
            dy: scratch.normed,
            rows: rows,
            columns: config.hiddenSize,
            tape: norm,
            addingTo: residual
        )
    }
}
