package import TensorKernels

/// The SigLIP vision tower: one tile of pixels → one row for each patch.
///
/// The result is the output of the last kept layer, before `post_layernorm`; that norm and the pooling head
/// of SigLIP are never used (`modeling_siglip.py`; the original LLaVA code deletes them at load).
package struct VisionEncoder: Sendable {
    /// Dimensions.
    package let config: VisionConfig
    let weights: VisionWeights

    /// Reads the weights.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: VisionConfig,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        self.config = config
        weights = try VisionWeights(reader: reader, config: config, pool: pool)
    }

    /// Runs one tile [3, S, S] and leaves [n, visionHidden] in `activations.hidden`.
    ///
    /// `interrupt` is called before each layer and may throw to stop.
    package func forward(
        _ tile: UnsafePointer<Float>,
        activations: VisionActivations,
        pool: ComputeThreadPool,
        interrupt: () throws -> Void
    ) rethrows {
        let rows = config.gridSide * config.gridSide
        patchEmbedding(
            tile,
            weights: weights,
            config: config,
            activations: activations,
            pool: pool
        )
        activations.observe(.patchEmbedding, rows: rows, columns: config.hiddenSize)
        for (index, layer) in weights.layers.enumerated() {
            try interrupt()
            visionBlock(layer, config: config, activations: activations, pool: pool)
            activations.observe(.visionLayer(index), rows: rows, columns: config.hiddenSize)
        }
    }
}
