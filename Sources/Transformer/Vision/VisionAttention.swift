import TensorKernels

/// Full self-attention over the patches of one tile: `activations.normed` → `activations.update`.
///
/// Every head has its own keys and values; the scale is d^-0.5
/// (`modeling_siglip.py: SiglipAttention.forward`).
func visionAttention(
    _ weights: VisionLayerWeights,
    config: VisionConfig,
    activations: VisionActivations,
    pool: ComputeThreadPool
) {
    let rows = config.gridSide * config.gridSide
    let normed = activations.normed.base
    matrixProducts(
        normed,
        rows: rows,
        weights.qProj.target(activations.queries.base),
        weights.kProj.target(activations.keys.base),
        weights.vProj.target(activations.values.base),
        pool: pool
    )  // each [n, visionHidden]

    let cache = activations.attentionCache
    cache.truncate(to: 0)
    cache.append(
        keys: activations.keys.base,
        values: activations.values.base,
        rows: rows,
        pool: pool
    )
    attention(
        activations.queries.base,
        rows: rows,
        heads: config.headCount,
        cache: cache,
        mask: .full,
        into: activations.attended.base,
        pool: pool
    )  // [n, visionHidden]
    weights.outProj.apply(
        activations.attended.base,
        rows: rows,
        into: activations.update.base,
        pool: pool
    )
}
