import TensorKernels

/// One tile [3, S, S] → the rows of its patches in the residual stream, [n, visionHidden].
///
/// The convolution has stride P and no padding, so it is one matrix product over patches; with S = 384 and
/// P = 14 the grid is 27 × 27 and the last 6 pixels of each side are not read. The learned position
/// embedding is added; there is no class token (`modeling_siglip.py: SiglipVisionEmbeddings.forward`).
func patchEmbedding(
    _ tile: UnsafePointer<Float>,
    weights: VisionWeights,
    config: VisionConfig,
    activations: VisionActivations,
    pool: ComputeThreadPool
) {
    let rows = config.gridSide * config.gridSide
    cutPatches(tile, config: config, into: activations.patches.base)  // [n, 3·P·P]
    matrixProduct(
        activations.patches.base,
        rows: rows,
        by: weights.patchEmbedding,
        bias: weights.patchEmbeddingBias.pointer,
        into: activations.hidden.base,
        pool: pool
    )
    weights.positionEmbedding.withUnsafeBufferPointer { positions in
        guard let base = positions.baseAddress else { return }
        addInPlace(activations.hidden.base, base, count: positions.count, pool: pool)
    }
}

/// Copies the patches of a tile into rows of columns (channel, y, x): the layout of the flattened kernel.
private func cutPatches(
    _ tile: UnsafePointer<Float>,
    config: VisionConfig,
    into rows: UnsafeMutablePointer<Float>
) {
    let size = config.imageSize
    let patch = config.patchSize
    let grid = config.gridSide
    var target = rows
    for gridY in 0..<grid {
        for gridX in 0..<grid {
            for channel in 0..<3 {
                for y in 0..<patch {
                    let line = (channel * size + gridY * patch + y) * size + gridX * patch
                    target.update(from: tile + line, count: patch)
                    target += patch
                }
            }
        }
    }
}
