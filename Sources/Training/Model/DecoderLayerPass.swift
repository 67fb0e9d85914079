import TensorKernels
import Transformer

/// One Qwen2 layer with what its backward pass needs.
///
/// norm → attention → residual → norm → SwiGLU → residual (`modeling_qwen2.py: Qwen2DecoderLayer.forward`).
///
/// The output of the last layer is wanted on few rows only (those that must predict something: one in nine
/// in a batch of preference questions), while keys and values are wanted on all. Such a layer computes
/// queries, output projection and MLP on the wanted rows alone; the other queries are 0, and what they
/// attend to is never looked at.
final class DecoderLayerPass {
    let input = GrowingBuffer<Float>()  // [rows, hidden]
    private let norm = NormTape()
    private let normed = GrowingBuffer<Float>()  // [rows, hidden]
    private let attention = AttentionTape()  // queries and keys rotated
    private let mlp: DecoderMLPPass

    // Of the wanted rows, when they are not all.
    private let wantedNormed = GrowingBuffer<Float>()  // [wanted, hidden]
    private let wantedAttended = GrowingBuffer<Float>()  // [wanted, heads·d]
    private let wantedScratch = GrowingBuffer<Float>()  // [wanted, hidden or heads·d]
    private let wantedResidual = GrowingBuffer<Float>()  // [wanted, hidden]

    private let slots: DecoderLayerSlots
    private let config: TextConfig

    /// Makes a layer without memory.
    init(slots: DecoderLayerSlots, config: TextConfig) {
        self.slots = slots
        self.config = config
        mlp = DecoderMLPPass(slots: slots, config: config)
    }

    /// Makes room for `rows`, or for `wanted` of them.
    func require(rows: Int, wanted: RowSubset?, shape: AttentionShape) {
        input.require(rows * config.hiddenSize)
        normed.require(rows * config.hiddenSize)
        norm.require(rows: rows)
        attention.require(rows: rows, shape: shape)
        mlp.require(rows: wanted?.count ?? rows)
        guard let count = wanted?.count else { return }
        wantedNormed.require(count * config.hiddenSize)
        wantedResidual.require(count * config.hiddenSize)
        wantedAttended.require(count * shape.queryWidth)
        wantedScratch.require(count * max(shape.queryWidth, config.hiddenSize))
    }

    /// Floats kept for each row.
    static func floatsPerRow(_ config: TextConfig) -> Int {
        2 * config.hiddenSize + 2 + DecoderMLPPass.floatsPerRow(config)
            + AttentionTape.floatsPerRow(
                heads: config.headCount,
                keyValueHeads: config.keyValueHeadCount,
                headDimension: config.headDimension
            )
    }

    /// `input` → `output`, [rows, hidden], or [wanted, hidden].
    func forward(
        _ rows: DecoderRows,
        wanted: RowSubset?,
        into output: GrowingBuffer<Float>,
        context: PassContext
    ) {
        let (count, shape) = (rows.count, rows.shape)
        let width = config.hiddenSize
        context.normalize(
            slots.inputLayernorm,
            input,
            rows: count,
            columns: width,
            epsilon: config.rmsNormEpsilon,
            into: normed,
            tape: norm
        )
        queries(count, wanted: wanted, shape: shape, context: context)
        context.apply(slots.kProj, normed, rows: count, into: attention.keys)
        context.apply(slots.vProj, normed, rows: count, into: attention.values)
        rows.rotate(attention.queries, heads: shape.heads, inverse: false, context.pool)
        rows.rotate(attention.keys, heads: shape.keyValueHeads, inverse: false, context.pool)
        context.attend(attention, shape: shape)

        let attended: GrowingBuffer<Float>
        if let wanted {
            attended = wantedAttended
            context.gather(attention.attended, wanted, columns: shape.queryWidth, into: attended)
            context.gather(input, wanted, columns: width, into: mlp.middle)
        } else {
            attended = attention.attended
            context.copy(input, into: mlp.middle, count: count * width)
        }
        let outputRows = wanted?.count ?? count
        context.apply(slots.oProj, attended, rows: outputRows, into: mlp.middle, accumulate: true)
        mlp.forward(rows: outputRows, into: output, context: context)
    }

    private func queries(
        _ count: Int,
        wanted: RowSubset?,
        shape: AttentionShape,
        context: PassContext
    ) {
        guard let wanted else {
            context.apply(slots.qProj, normed, rows: count, into: attention.queries)
            return
        }
        context.gather(normed, wanted, columns: config.hiddenSize, into: wantedNormed)
        context.apply(slots.qProj, wantedNormed, rows: wanted.count, into: wantedScratch)
        context.clear(attention.queries.base, count: count * shape.queryWidth)
        context.scatter(wantedScratch, wanted, columns: shape.queryWidth, into: attention.queries)
    }

    /// `outputGradient` [rows or wanted, hidden] → `residual` [rows, hidden], the gradient of the input;
    /// without `wanted` the two are one buffer.
    func backward(
        _ rows: DecoderRows,
        wanted: RowSubset?,
        outputGradient: GrowingBuffer<Float>,
        residual: GrowingBuffer<Float>,
        scratch: BackwardScratch,
        context: PassContext
    ) {
        let (count, shape) = (rows.count, rows.shape)
        let width = config.hiddenSize
        let outputRows = wanted?.count ?? count
        mlp.backward(
            rows: outputRows,
            residual: outputGradient,
            scratch: scratch,
            context: context
        )
        let attended = wanted == nil ? attention.attended : wantedAttended
        context.addWeightGradient(
            slots.oProj,
            x: attended,
            dy: outputGradient,
            rows: outputRows
        )
        let attendedGradient = wanted == nil ? scratch.attended : wantedScratch
        context.inputGradient(
            slots.oProj,
            dy: outputGradient,
            rows: outputRows,
            into: attendedGradient
        )
        if let wanted {
            context.clear(scratch.attended.base, count: count * shape.queryWidth)
            context.scatter(
                attendedGradient,
                wanted,
                columns: shape.queryWidth,
                into: scratch.attended
            )
            context.clear(residual.base, count: count * width)
            context.scatter(outputGradient, wanted, columns: width, into: residual)
        }
        context.attendBackward(attention, shape: shape, scratch: scratch)
        rows.rotate(scratch.queries, heads: shape.heads, inverse: true, context.pool)
        rows.rotate(scratch.keys, heads: shape.keyValueHeads, inverse: true, context.pool)
        projectionsBackward(count, wanted: wanted, scratch: scratch, context: context)
        context.normalizeBackward(
            slots.inputLayernorm,
            x: input,
            dy: scratch.normed,
            rows: count,
            columns: width,
            tape: norm,
            addingTo: residual
        )
    }

    /// scratch.queries, keys and values → scratch.normed.
    private func projectionsBackward(
        _ count: Int,
        wanted: RowSubset?,
        scratch: BackwardScratch,
        context: PassContext
    ) {
        for (slot, gradient, adds) in [
            (slots.kProj, scratch.keys, false), (slots.vProj, scratch.values, true),
        ] {
            context.addWeightGradient(slot, x: normed, dy: gradient, rows: count)
            context.inputGradient(
                slot,
                dy: gradient,
                rows: count,
                into: scratch.normed,
                accumulate: adds
            )
        }
        let query = slots.qProj
        guard let wanted else {
            context.addWeightGradient(query, x: normed, dy: scratch.queries, rows: count)
            context.inputGradient(
                query,
                dy: scratch.queries,
                rows: count,
                into: scratch.normed,
                accumulate: true
            )
            return
        }
        context.gather(scratch.queries, wanted, columns: query.outputs, into: wantedScratch)
        context.addWeightGradient(
            query,
            x: wantedNormed,
            dy: wantedScratch,
            rows: wanted.count
        )
        context.inputGradient(query, dy: wantedScratch, rows: wanted.count, into: wantedResidual)
        context.scatterAdd(
            wantedResidual,
            wanted,
            columns: config.hiddenSize,
            to: scratch.normed
        )
    }
}
