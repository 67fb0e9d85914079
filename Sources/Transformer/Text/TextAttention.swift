import TensorKernels

/// Causal self-attention of `rows` normed rows: `activations.normed` → `activations.update`.
///
/// Query head h reads key/value head h / (heads / kvHeads). q, k and v have biases, o_proj has none.
/// Keys are rotated before they are kept, so a cached key is never touched again
/// (`modeling_qwen2.py: Qwen2Attention.forward`).
func textAttention(
    _ weights: DecoderLayerWeights,
    config: TextConfig,
    rows: Int,
    firstPosition: Int,
    rotary: RotaryTable,
    cache: KeyValueCache,
    activations: TextActivations,
    pool: ComputeThreadPool
) {
    let normed = activations.normed.base  // [rows, hidden]
    let queries = activations.queries.base
    let keys = activations.keys.base
    let values = activations.values.base

    matrixProduct(
        normed,
        rows: rows,
        by: weights.qProj,
        bias: weights.qProjBias.pointer,
        into: queries,
        pool: pool
    )  // [rows, heads·d]
    matrixProduct(
        normed,
        rows: rows,
        by: weights.kProj,
        bias: weights.kProjBias.pointer,
        into: keys,
        pool: pool
    )  // [rows, kvHeads·d]
    matrixProduct(
        normed,
        rows: rows,
        by: weights.vProj,
        bias: weights.vProjBias.pointer,
        into: values,
        pool: pool
    )  // [rows, kvHeads·d]

    applyRotary(
        queries,
        rows: rows,
        heads: config.headCount,
        table: rotary,
        firstPosition: firstPosition,
        pool: pool
    )
    applyRotary(
        keys,
        rows: rows,
        heads: config.keyValueHeadCount,
        table: rotary,
        firstPosition: firstPosition,
        pool: pool
    )
    cache.append(keys: keys, values: values, rows: rows)

    attention(
        queries,
        rows: rows,
        heads: config.headCount,
        cache: cache,
        mask: .causal,
        into: activations.attended.base,
        pool: pool
    )  // [rows, heads·d]
    matrixProduct(
        activations.attended.base,
        rows: rows,
        by: weights.oProj,
        bias: nil,
        into: activations.update.base,
        pool: pool
    )  // [rows, hidden]
}
