import TensorKernels

/// Decoder layer number `index` on the residual stream `activations.hidden`, in place, for the rows of
/// `activations.layout`.
///
/// norm → attention → residual → norm → MLP → residual (`modeling_qwen2.py: Qwen2DecoderLayer.forward`).
func decoderLayer(
    _ weights: DecoderLayerWeights,
    index: Int,
    config: TextConfig,
    angles: RotaryAngles,
    blocks: KeyValueBlocks,
    activations: TextActivations,
    pool: ComputeThreadPool
) {
    let rows = activations.layout.count
    let hidden = activations.hidden.base
    let normed = activations.normed.base
    let width = config.hiddenSize

    rmsNorm(
        hidden,
        rows: rows,
        columns: width,
        weight: weights.inputLayernorm.pointer,
        epsilon: config.rmsNormEpsilon,
        into: normed,
        pool: pool
    )  // [rows, hidden]
    textAttention(
        weights,
        index: index,
        config: config,
        angles: angles,
        blocks: blocks,
        activations: activations,
        pool: pool
    )  // update [rows, hidden]
    addInPlace(hidden, activations.update.base, count: rows * width, pool: pool)

    rmsNorm(
        hidden,
        rows: rows,
        columns: width,
        weight: weights.postAttentionLayernorm.pointer,
        epsilon: config.rmsNormEpsilon,
        into: normed,
        pool: pool
    )  // [rows, hidden]
    textMLP(weights, rows: rows, config: config, activations: activations, pool: pool)
    addInPlace(hidden, activations.update.base, count: rows * width, pool: pool)
}
