import TensorKernels

/// One SigLIP layer on the residual stream `activations.hidden`, in place.
///
/// norm → attention → residual → norm → MLP (tanh GELU) → residual
/// (`modeling_siglip.py: SiglipEncoderLayer.forward`).
func visionBlock(
    _ weights: VisionLayerWeights,
    config: VisionConfig,
    activations: VisionActivations,
    pool: ComputeThreadPool
) {
    let rows = config.gridSide * config.gridSide
    let width = config.hiddenSize
    let hidden = activations.hidden.base

    layerNorm(
        hidden,
        rows: rows,
        columns: width,
        weight: weights.layerNorm1.weight.pointer,
        bias: weights.layerNorm1.bias.pointer,
        epsilon: config.layerNormEpsilon,
        into: activations.normed.base,
        pool: pool
    )  // [n, visionHidden]
    visionAttention(weights, config: config, activations: activations, pool: pool)
    addInPlace(hidden, activations.update.base, count: rows * width, pool: pool)

    layerNorm(
        hidden,
        rows: rows,
        columns: width,
        weight: weights.layerNorm2.weight.pointer,
        bias: weights.layerNorm2.bias.pointer,
        epsilon: config.layerNormEpsilon,
        into: activations.normed.base,
        pool: pool
    )  // [n, visionHidden]
    let inner = activations.inner.base
    weights.fc1.apply(
        activations.normed.base,
        rows: rows,
        into: inner,
        finish: .geluTanh,
        pool: pool
    )
    weights.fc2.apply(inner, rows: rows, into: activations.update.base, pool: pool)
    addInPlace(hidden, activations.update.base, count: rows * width, pool: pool)
}
