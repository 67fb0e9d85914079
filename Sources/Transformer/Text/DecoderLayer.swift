import TensorKernels

/// One decoder layer on the residual stream `activations.hidden`, in place.
///
/// norm → attention → residual → norm → MLP → residual (`modeling_qwen2.py: Qwen2DecoderLayer.forward`).
func decoderLayer(
    _ weights: DecoderLayerWeights,
    config: TextConfig,
    rows: Int,
    firstPosition: Int,
    rotary: RotaryTable,
    cache: KeyValueCache,
    activations: TextActivations,
    pool: ComputeThreadPool
) {
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
        config: config,
        rows: rows,
        firstPosition: firstPosition,
        rotary: rotary,
        cache: cache,
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
