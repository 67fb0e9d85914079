import TensorKernels

/// The weights of the SigLIP encoder. Property names are the checkpoint's.
package struct VisionWeights: Sendable {
    /// [hidden, 3·P·P]: the convolution of stride P as one matrix.
    let patchEmbedding: PackedMatrix
    /// [hidden].
    let patchEmbeddingBias: WeightVector
    /// [patches, hidden], widened once.
    let positionEmbedding: [Float]
    /// The kept layers, in order.
    let layers: [VisionLayerWeights]

    /// Reads the encoder's tensors.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: VisionConfig,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let hidden = config.hiddenSize
        let patches = config.gridSide * config.gridSide
        patchEmbedding = try reader.matrix(
            "vision.embeddings.patch_embedding.weight",
            outputs: hidden,
            inputs: 3 * config.patchSize * config.patchSize,
            pool: pool
        )
        patchEmbeddingBias = try reader.vector(
            "vision.embeddings.patch_embedding.bias",
            count: hidden
        )
        let table = try reader.table(
            "vision.embeddings.position_embedding.weight",
            rows: patches,
            columns: hidden
        )
        positionEmbedding = [Float](unsafeUninitializedCapacity: patches * hidden) { rows, count in
            if let base = rows.baseAddress {
                for index in 0..<patches { table.row(index, into: base + index * hidden) }
            }
            count = patches * hidden
        }
        var layers: [VisionLayerWeights] = []
        for index in 0..<config.layerCount {
            layers.append(
                try VisionLayerWeights(reader: reader, config: config, index: index, pool: pool)
            )
        }
        self.layers = layers
    }
}

/// The weights of one SigLIP layer (`modeling_siglip.py: SiglipEncoderLayer`).
package struct VisionLayerWeights: Sendable {
    let layerNorm1: LayerNormWeights
    let qProj: LinearWeights  // [hidden, hidden]
    let kProj: LinearWeights  // [hidden, hidden]
    let vProj: LinearWeights  // [hidden, hidden]
    let outProj: LinearWeights  // [hidden, hidden]
    let layerNorm2: LayerNormWeights
    let fc1: LinearWeights  // [intermediate, hidden]
    let fc2: LinearWeights  // [hidden, intermediate]

    /// Reads the tensors `vision.encoder.layers.<index>.…`.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: VisionConfig,
        index: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let layer = "vision.encoder.layers.\(index)."
        let hidden = config.hiddenSize
        let inner = config.intermediateSize
        layerNorm1 = try LayerNormWeights(reader, layer + "layer_norm1", count: hidden)
        let attention = layer + "self_attn."
        qProj = try LinearWeights(
            reader,
            attention + "q_proj",
            outputs: hidden,
            inputs: hidden,
            pool: pool
        )
        kProj = try LinearWeights(
            reader,
            attention + "k_proj",
            outputs: hidden,
            inputs: hidden,
            pool: pool
        )
        vProj = try LinearWeights(
            reader,
            attention + "v_proj",
            outputs: hidden,
            inputs: hidden,
            pool: pool
        )
        outProj = try LinearWeights(
            reader,
            attention + "out_proj",
            outputs: hidden,
            inputs: hidden,
            pool: pool
        )
        layerNorm2 = try LayerNormWeights(reader, layer + "layer_norm2", count: hidden)
        fc1 = try LinearWeights(
            reader,
            layer + "mlp.fc1",
            outputs: inner,
            inputs: hidden,
            pool: pool
        )
        fc2 = try LinearWeights(
            reader,
            layer + "mlp.fc2",
            outputs: hidden,
            inputs: inner,
            pool: pool
        )
    }
}

/// A linear layer with a bias: weight [outputs, inputs], bias [outputs].
package struct LinearWeights: Sendable {
    let weight: PackedMatrix
    let bias: WeightVector

    init(
        _ reader: WeightReader,
        _ name: String,
        outputs: Int,
        inputs: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        weight = try reader.matrix(
            name + ".weight",
            outputs: outputs,
            inputs: inputs,
            pool: pool
        )
        bias = try reader.vector(name + ".bias", count: outputs)
    }

    /// y = x·Wᵀ + b for `rows` rows.
    func apply(
        _ x: UnsafePointer<Float>,
        rows: Int,
        into y: UnsafeMutablePointer<Float>,
        finish: ProductFinish = .none,
        pool: ComputeThreadPool
    ) {
        matrixProduct(
            x,
            rows: rows,
            by: weight,
            bias: bias.pointer,
            into: y,
            finish: finish,
            pool: pool
        )
    }

    /// The layer as one of several that read the same rows.
    func target(_ y: UnsafeMutablePointer<Float>) -> ProductTarget {
        ProductTarget(weight, bias: bias.pointer, into: y)
    }
}

/// Gain and offset of a LayerNorm, both [count].
package struct LayerNormWeights: Sendable {
    let weight: WeightVector
    let bias: WeightVector

    init(_ reader: WeightReader, _ name: String, count: Int) throws(CheckpointError) {
        weight = try reader.vector(name + ".weight", count: count)
        bias = try reader.vector(name + ".bias", count: count)
    }
}
