import TensorKernels

/// Causal self-attention of the normed rows, each in its own sequence: `activations.normed` →
/// `activations.update`.
///
/// Query head h reads key/value head h / (heads / kvHeads). In Qwen2 q, k and v have biases and o_proj has
/// none; in Qwen3 there are no biases, and every head of q and k is normed before it is rotated. Keys are
/// rotated before they are kept, so a cached key is never touched again
/// (`modeling_qwen2.py: Qwen2Attention.forward`, `modeling_qwen3_vl.py: Qwen3VLTextAttention.forward`).
func textAttention(
    _ weights: DecoderLayerWeights,
    index: Int,
    config: TextConfig,
    angles: RotaryAngles,
    blocks: KeyValueBlocks,
    activations: TextActivations,
    pool: ComputeThreadPool
) {
    let rows = activations.layout.count
    let normed = activations.normed.base  // [rows, hidden]
    let queries = activations.queries.base
    let keys = activations.keys.base
    let values = activations.values.base

    matrixProducts(
        normed,
        rows: rows,
        ProductTarget(weights.qProj, bias: weights.qProjBias?.pointer, into: queries),
        ProductTarget(weights.kProj, bias: weights.kProjBias?.pointer, into: keys),
        ProductTarget(weights.vProj, bias: weights.vProjBias?.pointer, into: values),
        pool: pool
    )  // queries [rows, heads·d], keys and values [rows, kvHeads·d]

    if let headNorms = weights.headNorms {
        headNorms.apply(queries, heads: rows * config.headCount, keys: false, config, pool)
        headNorms.apply(keys, heads: rows * config.keyValueHeadCount, keys: true, config, pool)
    }
    for (x, heads) in [(queries, config.headCount), (keys, config.keyValueHeadCount)] {
        applyRotary(
            x,
            rows: rows,
            heads: heads,
            headDimension: config.headDimension,
            angles: angles,
            pool: pool
        )
    }
    let layout = activations.layout
    let width = config.keyValueHeadCount * config.headDimension
    for segment in layout.segments {
        blocks.write(
            keys: keys + segment.firstRow * width,
            values: values + segment.firstRow * width,
            rows: segment.rows,
            table: segment.table,
            first: segment.positions - segment.rows,
            layer: index,
            pool: pool
        )
    }

    layout.segments.withUnsafeBufferPointer { segments in
        attention(
            queries,
            segments: segments,
            heads: config.headCount,
            blocks: blocks,
            layer: index,
            mask: .causal,
            into: activations.attended.base,
            pool: pool
        )
    }  // [rows, heads·d]
    matrixProduct(
        activations.attended.base,
        rows: rows,
        by: weights.oProj,
        bias: nil,
        into: activations.update.base,
        pool: pool
    )  // [rows, hidden]
}
