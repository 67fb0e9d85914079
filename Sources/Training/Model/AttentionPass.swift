import TensorKernels

/// The dimensions of an attention and the rows that see each other.
struct AttentionShape {
    let heads: Int
    let keyValueHeads: Int
    let headDimension: Int
    let sequences: [AttentionSequence]

    /// Width of queries and of the output.
    var queryWidth: Int { heads * headDimension }
    /// Width of keys and of values.
    var keyWidth: Int { keyValueHeads * headDimension }
}

/// What an attention keeps for its backward pass.
final class AttentionTape {
    let queries = GrowingBuffer<Float>()  // [rows, heads·d], as the products use them
    let keys = GrowingBuffer<Float>()  // [rows, kvHeads·d]
    let values = GrowingBuffer<Float>()  // [rows, kvHeads·d]
    let attended = GrowingBuffer<Float>()  // [rows, heads·d]
    let logSumExp = GrowingBuffer<Float>()  // [rows, heads]

    /// Makes room for `rows`.
    func require(rows: Int, shape: AttentionShape) {
        queries.require(rows * shape.queryWidth)
        keys.require(rows * shape.keyWidth)
        values.require(rows * shape.keyWidth)
        attended.require(rows * shape.queryWidth)
        logSumExp.require(rows * shape.heads)
    }

    /// Floats taken for each row.
    static func floatsPerRow(heads: Int, keyValueHeads: Int, headDimension: Int) -> Int {
        2 * (heads + keyValueHeads) * headDimension + heads
    }
}

extension PassContext {
    /// tape.attended = attention over tape.queries, keys and values.
    func attend(_ tape: AttentionTape, shape: AttentionShape) {
        sequenceAttentionForward(
            tape.queries.base,
            k: tape.keys.base,
            v: tape.values.base,
            sequences: shape.sequences,
            heads: shape.heads,
            keyValueHeads: shape.keyValueHeads,
            headDimension: shape.headDimension,
            into: tape.attended.base,
            logSumExp: tape.logSumExp.base,
            pool: pool
        )
    }

    /// scratch.attended → scratch.queries, keys and values.
    func attendBackward(_ tape: AttentionTape, shape: AttentionShape, scratch: BackwardScratch) {
        sequenceAttentionBackward(
            tape.queries.base,
            k: tape.keys.base,
            v: tape.values.base,
            y: tape.attended.base,
            dy: scratch.attended.base,
            logSumExp: tape.logSumExp.base,
            sequences: shape.sequences,
            heads: shape.heads,
            keyValueHeads: shape.keyValueHeads,
            headDimension: shape.headDimension,
            into: scratch.queries.base,
            dk: scratch.keys.base,
            dv: scratch.values.base,
            pool: pool
        )
    }
}
