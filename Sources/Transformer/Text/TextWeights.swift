import TensorKernels

/// The weights of the Qwen2 decoder. Property names are the checkpoint's (`qProj` ⇔ `q_proj`).
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

/// The weights of one decoder layer (`modeling_qwen2.py: Qwen2DecoderLayer`).
package struct DecoderLayerWeights: Sendable {
    let inputLayernorm: WeightVector  // [hidden]
    let qProj: PackedMatrix  // [heads·d, hidden]
    let qProjBias: WeightVector  // [heads·d]
    let kProj: PackedMatrix  // [kvHeads·d, hidden]
    let kProjBias: WeightVector  // [kvHeads·d]
    let vProj: PackedMatrix  // [kvHeads·d, hidden]
    let vProjBias: WeightVector  // [kvHeads·d]
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
        qProj = try reader.matrix(
            attention + "q_proj.weight",
            outputs: queries,
            inputs: hidden,
            pool: pool
        )
        qProjBias = try reader.vector(attention + "q_proj.bias", count: queries)
        kProj = try reader.matrix(
            attention + "k_proj.weight",
            outputs: keys,
            inputs: hidden,
            pool: pool
        )
        kProjBias = try reader.vector(attention + "k_proj.bias", count: keys)
        vProj = try reader.matrix(
            attention + "v_proj.weight",
            outputs: keys,
            inputs: hidden,
            pool: pool
        )
        vProjBias = try reader.vector(attention + "v_proj.bias", count: keys)
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
