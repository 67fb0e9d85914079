import FoundationEssentials
package import TensorKernels

/// Parts of models with random weights, to measure how fast a model of their shapes runs without its checkpoint.
package enum InventedModel {
    /// A decoder of the dimensions in `configuration`, the JSON text of a `text_config`.
    ///
    /// - Parameters:
    ///   - family: decides between Qwen2 and Qwen3.
    ///   - positions: `0..<positions` can be computed.
    /// - Throws: ``CheckpointError`` for dimensions that are none.
    package static func decoder(
        configuration: String,
        family: ModelFamily,
        precision: WeightPrecision,
        positions: Int,
        pool: ComputeThreadPool
    ) throws -> TextDecoder {
        let file = try JSONDecoder().decode(TextConfig.File.self, from: Data(configuration.utf8))
        let reference: TextReference =
            switch family {
            case .llavaOneVision, .llavaQwen: .qwen2
            case .qwen25VL: .qwen25VL
            case .qwen3VL: .qwen3VL
            }
        let config = try TextConfig(
            file,
            of: reference,
            prefix: "",
            tied: file.tie_word_embeddings ?? false
        )
        let reader = WeightReader(
            inventing: Checkpoint(inventing: shapes(of: config)),
            tiesWordEmbeddings: config.tiesWordEmbeddings,
            precision: precision
        )
        return try TextDecoder(reader: reader, config: config, positions: positions, pool: pool)
    }

    /// The tower of SigLIP so400m for tiles of 384 pixels, without its last layer.
    ///
    /// - Throws: nothing in practice; ``CheckpointError`` if a tensor were missing.
    package static func siglipTower(
        precision: WeightPrecision,
        pool: ComputeThreadPool
    ) throws -> VisionEncoder {
        let config = VisionConfig.siglipSo400m
        let reader = WeightReader(
            inventing: Checkpoint(inventing: shapes(of: config)),
            tiesWordEmbeddings: false,
            precision: precision
        )
        return try VisionEncoder(reader: reader, config: config, pool: pool)
    }

    private static func shapes(of config: TextConfig) -> [String: [Int]] {
        let hidden = config.hiddenSize
        let queries = config.headCount * config.headDimension
        let keys = config.keyValueHeadCount * config.headDimension
        var shapes = [
            "text.embed_tokens.weight": [config.vocabularySize, hidden],
            "text.norm.weight": [hidden],
        ]
        if !config.tiesWordEmbeddings {
            shapes["lm_head.weight"] = [config.vocabularySize, hidden]
        }
        for index in 0..<config.layerCount {
            let layer = "text.layers.\(index)."
            let attention = layer + "self_attn."
            shapes[layer + "input_layernorm.weight"] = [hidden]
            shapes[layer + "post_attention_layernorm.weight"] = [hidden]
            for (name, width) in [("q_proj", queries), ("k_proj", keys), ("v_proj", keys)] {
                shapes[attention + name + ".weight"] = [width, hidden]
                if config.hasProjectionBiases { shapes[attention + name + ".bias"] = [width] }
            }
            if config.normsHeads {
                shapes[attention + "q_norm.weight"] = [config.headDimension]
                shapes[attention + "k_norm.weight"] = [config.headDimension]
            }
            shapes[attention + "o_proj.weight"] = [hidden, queries]
            shapes[layer + "mlp.gate_proj.weight"] = [config.intermediateSize, hidden]
            shapes[layer + "mlp.up_proj.weight"] = [config.intermediateSize, hidden]
            shapes[layer + "mlp.down_proj.weight"] = [hidden, config.intermediateSize]
        }
        return shapes
    }

    private static func shapes(of config: VisionConfig) -> [String: [Int]] {
        let hidden = config.hiddenSize
        let patch = config.patchSize
        var shapes = [
            "vision.embeddings.patch_embedding.weight": [hidden, 3, patch, patch],
            "vision.embeddings.patch_embedding.bias": [hidden],
            "vision.embeddings.position_embedding.weight": [
                config.gridSide * config.gridSide, hidden,
            ],
        ]
        for index in 0..<config.layerCount {
            let layer = "vision.encoder.layers.\(index)."
            for norm in ["layer_norm1", "layer_norm2"] {
                shapes[layer + norm + ".weight"] = [hidden]
                shapes[layer + norm + ".bias"] = [hidden]
            }
            for name in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                shapes[layer + "self_attn." + name + ".weight"] = [hidden, hidden]
                shapes[layer + "self_attn." + name + ".bias"] = [hidden]
            }
            shapes[layer + "mlp.fc1.weight"] = [config.intermediateSize, hidden]
            shapes[layer + "mlp.fc1.bias"] = [config.intermediateSize]
            shapes[layer + "mlp.fc2.weight"] = [hidden, config.intermediateSize]
            shapes[layer + "mlp.fc2.bias"] = [hidden]
        }
        return shapes
    }
}

extension TextDecoder {
    /// Weights in the matrices of all layers.
    package var layerWeightCount: Int {
        let queries = config.headCount * config.headDimension
        let keys = config.keyValueHeadCount * config.headDimension
        return config.layerCount * config.hiddenSize
            * (2 * queries + 2 * keys + 3 * config.intermediateSize)
    }

    /// Bytes that one pass reads of the matrices, the head included.
    package var matrixByteCount: Int {
        weights.layers.reduce(weights.lmHead.byteCount) { sum, layer in
            [
                layer.qProj, layer.kProj, layer.vProj, layer.oProj, layer.gateProj, layer.upProj,
                layer.downProj,
            ].reduce(sum) { $0 + $1.byteCount }
        }
    }
}
