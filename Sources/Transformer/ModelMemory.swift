package import TensorKernels

/// What a model and its state will take, computed before anything is allocated.
package struct ModelMemory: Sendable, Equatable {
    /// Packed weights and the embedding table, bytes.
    package let weights: Int
    /// Keys and values of all sequences, bytes.
    package let keyValueCache: Int
    /// Activations of the decoder and the vision encoder, and one image of the most tiles, bytes.
    package let activations: Int

    /// All of it.
    package var total: Int { weights + keyValueCache + activations }

    /// Estimates a checkpoint for sequences of `positions` that share so many bytes of keys and values, run
    /// `rowCapacity` rows at a time, with its matrices held in `precision`.
    /// - patchLimit: patches of the largest picture of a Qwen-VL model; as many as fill a sequence
    ///   where the preprocessing allows more.
    package init(
        config: ModelConfig,
        checkpoint: Checkpoint,
        positions: Int,
        keyValueBytes: Int,
        rowCapacity: Int,
        patchLimit: Int = .max,
        precision: WeightPrecision = .stored
    ) {
        var weights = 0
        for name in checkpoint.tensorNames {
            guard let tensor = checkpoint.tensor(name) else { continue }
            let canonical = CanonicalTensorName.name(ofStored: name) ?? name
            weights += Self.byteCount(of: tensor, canonical: canonical, precision: precision)
            if config.text.tiesWordEmbeddings && name.hasSuffix("embed_tokens.weight") {
                // The head is a packed copy of the table.
                weights += Self.byteCount(
                    of: tensor,
                    canonical: "lm_head.weight",
                    precision: precision
                )
            }
        }
        self.weights = weights
        keyValueCache = keyValueBytes
        let visual =
            switch config.visual {
            case .llava(let config):
                VisionActivations.byteCount(
                    config: config.vision,
                    hiddenSize: config.text.hiddenSize
                ) + Self.imageByteCount(config)
            case .qwen(let vision):
                QwenVisionActivations.byteCount(
                    config: vision,
                    hiddenSize: config.text.hiddenSize,
                    patches: min(
                        patchLimit,
                        QwenVisionConfig.mergeSize * QwenVisionConfig.mergeSize * positions
                    )
                )
            }
        activations =
            TextActivations.byteCount(config: config.text, rowCapacity: rowCapacity) + visual
    }

    /// Bytes of a tensor once it is read: a table stays as it is stored, a matrix is packed.
    private static func byteCount(
        of tensor: CheckpointTensor,
        canonical: String,
        precision: WeightPrecision
    ) -> Int {
        guard tensor.shape.count >= 2,
            !canonical.contains("embed_tokens"),
            !canonical.contains("position_embedding"), !canonical.contains("pos_embed"),
            let type = precision.panelType(ofCanonical: canonical),
            // Of a type that cannot be packed the shape is not held against the bytes.
            WeightType(rawValue: tensor.type) != nil,
            let outputs = tensor.shape.first,
            outputs > 0
        else { return tensor.bytes.count }
        return PackedMatrix.byteCount(
            type: type,
            outputs: outputs,
            inputs: tensor.shape[1...].reduce(1, &*)
        )
    }

    /// Pixels and projected features of the image with the most tiles.
    private static func imageByteCount(_ config: LlavaConfig) -> Int {
        let vision = config.vision
        let area = config.imageGridPinpoints.map { $0.height * $0.width }.max() ?? 0
        let tiles = 1 + area / (vision.imageSize * vision.imageSize)
        let pixels = 3 * vision.imageSize * vision.imageSize
        let features = vision.gridSide * vision.gridSide * config.text.hiddenSize
        return tiles * (pixels + features) * MemoryLayout<Float>.stride
    }
}
