import TensorKernels

/// The weights of the decoder, Qwen2 or Qwen3. Property names are the checkpoint's (`qProj` ⇔ `q_proj`).
package struct TextWeights: Sendable {
    /// [vocabulary, hidden], left in the checkpoint's type.
    let embedTokens: EmbeddingTable
    /// One for each decoder layer.
    let layers: [DecoderLayerWeights]
    /// [hidden].
    let norm: WeightVector
    /// [vocabulary, hidden]; a packed copy of `embed_tokens` when the two are tied.
    let lmHead: PackedMatrix

    /// Reads the decoder's tensors.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: TextConfig,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        // The stored rows decide: checkpoints are resized without config.json following.
        embedTokens = try reader.table(
            "text.embed_tokens.weight",
            rows: nil,
            columns: config.hiddenSize
        )
        var layers: [DecoderLayerWeights] = []
        for index in 0..<config.layerCount {
            layers.append(
                try DecoderLayerWeights(reader: reader, config: config, index: index, pool: pool)
            )
        }
        self.layers = layers
        norm = try reader.vector("text.norm.weight", count: config.hiddenSize)
        lmHead = try reader.matrix(
            "lm_head.weight",
            outputs: embedTokens.rows,
            inputs: config.hiddenSize,
            pool: pool
        )
    }
}

/// The weights of one decoder layer (`modeling_qwen2.py: Qwen2DecoderLayer`,
/// `modeling_qwen3_vl.py: Qwen3VLTextDecoderLayer`).
package struct DecoderLayerWeights: Sendable {
    let inputLayernorm: WeightVector  // [hidden]
    let qProj: PackedMatrix  // [heads·d, hidden]
    let qProjBias: WeightVector?  // [heads·d], Qwen2
    let kProj: PackedMatrix  // [kvHeads·d, hidden]
    let kProjBias: WeightVector?  // [kvHeads·d], Qwen2
    let vProj: PackedMatrix  // [kvHeads·d, hidden]
    let vProjBias: WeightVector?  // [kvHeads·d], Qwen2
    let headNorms: HeadNorms?  // Qwen3
    let oProj: PackedMatrix  // [hidden, heads·d]
    let postAttentionLayernorm: WeightVector  // [hidden]
    let gateProj: PackedMatrix  // [intermediate, hidden]
    let upProj: PackedMatrix  // [intermediate, hidden]
    let downProj: PackedMatrix  // [hidden, intermediate]

    /// Reads the tensors `text.layers.<index>.…`.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: TextConfig,
        index: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let layer = "text.layers.\(index)."
        let hidden = config.hiddenSize
        let queries = config.headCount * config.headDimension
        let keys = config.keyValueHeadCount * config.headDimension
        inputLayernorm = try reader.vector(layer + "input_layernorm.weight", count: hidden)
        let attention = layer + "self_attn."
        func bias(_ name: String, _ count: Int) throws(CheckpointError) -> WeightVector? {
            guard config.hasProjectionBiases else { return nil }
            return try reader.vector("\(attention)\(name).bias", count: count)
        }
        headNorms =
            config.normsHeads ? try HeadNorms(reader, attention, config: config) : nil
        qProj = try reader.matrix(
            attention + "q_proj.weight",
            outputs: queries,
            inputs: hidden,
            pool: pool
        )
        qProjBias = try bias("q_proj", queries)
        kProj = try reader.matrix(
            attention + "k_proj.weight",
            outputs: keys,
            inputs: hidden,
            pool: pool
        )
        kProjBias = try bias("k_proj", keys)
        vProj = try reader.matrix(
            attention + "v_proj.weight",
            outputs: keys,
            inputs: hidden,
            pool: pool
        )
        vProjBias = try bias("v_proj", keys)
        oProj = try reader.matrix(
            attention + "o_proj.weight",
            outputs: hidden,
            inputs: queries,
            pool: pool
        )
        postAttentionLayernorm = try reader.vector(
            layer + "post_attention_layernorm.weight",
            count: hidden
        )
        let inner = config.intermediateSize
        gateProj = try reader.matrix(
            layer + "mlp.gate_proj.weight",
            outputs: inner,
            inputs: hidden,
            pool: pool
        )
        upProj = try reader.matrix(
            layer + "mlp.up_proj.weight",
            outputs: inner,
            inputs: hidden,
            pool: pool
        )
        downProj = try reader.matrix(
            layer + "mlp.down_proj.weight",
            outputs: hidden,
            inputs: inner,
            pool: pool
        )
    }
}

/// The RMSNorms over the numbers of one head that Qwen3 puts before the rotation.
package struct HeadNorms: Sendable {
    let qNorm: WeightVector  // [d]
    let kNorm: WeightVector  // [d]

    /// Reads the tensors `<attention>q_norm.weight` and `<attention>k_norm.weight`.
    init(
        _ reader: WeightReader,
        _ attention: String,
        config: TextConfig
    ) throws(CheckpointError) {
        qNorm = try reader.vector(attention + "q_norm.weight", count: config.headDimension)
        kNorm = try reader.vector(attention + "k_norm.weight", count: config.headDimension)
    }

    /// Norms `heads` heads of queries or keys in place, [heads, d].
    func apply(
        _ x: UnsafeMutablePointer<Float>,
        heads: Int,
        keys: Bool,
        _ config: TextConfig,
        _ pool: ComputeThreadPool
    ) {
        rmsNorm(
            x,
            rows: heads,
            columns: config.headDimension,
            weight: keys ? kNorm.pointer : qNorm.pointer,
            epsilon: config.rmsNormEpsilon,
            into: x,
            pool: pool
        )
    }
}
