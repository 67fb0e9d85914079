import Transformer

/// Where a linear layer's numbers lie in a flat buffer: parameters and gradients have one layout.
struct LinearSlot: Sendable {
    /// Offset of the weight [outputs, inputs].
    let weight: Int
    /// Offset of the bias [outputs]; nil when there is none.
    let bias: Int?
    let outputs: Int
    let inputs: Int
    /// Whether its gradient is wanted.
    let isTrained: Bool
}

/// Where a norm's numbers lie; a root mean square norm has no bias.
struct NormSlot: Sendable {
    let weight: Int
    let bias: Int?
}

/// The places of one SigLIP layer.
struct VisionLayerSlots: Sendable {
    let layerNorm1: NormSlot
    let qProj: LinearSlot  // [width, width]
    let kProj: LinearSlot  // [width, width]
    let vProj: LinearSlot  // [width, width]
    let outProj: LinearSlot  // [width, width]
    let layerNorm2: NormSlot
    let fc1: LinearSlot  // [intermediate, width]
    let fc2: LinearSlot  // [width, intermediate]
}

/// The places of one decoder layer.
struct DecoderLayerSlots: Sendable {
    let inputLayernorm: NormSlot
    let qProj: LinearSlot  // [heads·d, hidden]
    let kProj: LinearSlot  // [kvHeads·d, hidden]
    let vProj: LinearSlot  // [kvHeads·d, hidden]
    let oProj: LinearSlot  // [hidden, heads·d]
    let postAttentionLayernorm: NormSlot
    let gateProj: LinearSlot  // [intermediate, hidden]
    let upProj: LinearSlot  // [intermediate, hidden]
    let downProj: LinearSlot  // [hidden, intermediate]
}

/// The places of every tensor the forward pass reads, by the names of the checkpoint.
struct ModelSlots: Sendable {
    let patchEmbedding: LinearSlot  // [width, 3·P·P]
    let positionEmbedding: Int  // [patches, width]
    let visionLayers: [VisionLayerSlots]
    let projector0: LinearSlot  // [hidden, width]
    let projector1: LinearSlot  // [hidden, hidden]
    let imageNewline: Int  // [hidden]
    let embedTokens: Int  // [vocabulary, hidden]
    let decoderLayers: [DecoderLayerSlots]
    let norm: NormSlot
    let lmHead: LinearSlot  // [vocabulary, hidden]; the place of embed_tokens when tied

    /// Whether anything before the decoder wants a gradient.
    let trainsVision: Bool

    /// Finds the places in `layout`; `trained` holds the canonical names of the weights whose gradients
    /// are wanted, nil for all.
    init(layout: ParameterLayout, trained: Set<String>?) {
        let finder = SlotFinder(offsets: layout.offsets, trained: trained)
        trainsVision =
            trained?.contains { $0.hasPrefix("vision.") || $0.hasPrefix("projector.") } ?? true
        let (vision, text) = (layout.config.vision, layout.config.text)
        let (width, hidden) = (vision.hiddenSize, text.hiddenSize)
        patchEmbedding = finder.linear(
            "vision.embeddings.patch_embedding",
            width,
            3 * vision.patchSize * vision.patchSize
        )
        positionEmbedding = finder.offset("vision.embeddings.position_embedding.weight")
        visionLayers = (0..<vision.layerCount).map { finder.visionLayer($0, vision) }
        projector0 = finder.linear("projector.0", hidden, width)
        projector1 = finder.linear("projector.1", hidden, hidden)
        imageNewline = finder.offset("image_newline")
        embedTokens = finder.offset("text.embed_tokens.weight")
        decoderLayers = (0..<text.layerCount).map { finder.decoderLayer($0, text) }
        norm = finder.norm("text.norm")
        lmHead = finder.linear(
            text.tiesWordEmbeddings ? "text.embed_tokens" : "lm_head",
            layout.vocabularySize,
            hidden
        )
    }
}

/// Looks names up in a layout that has them all.
private struct SlotFinder {
    let offsets: [String: Int]
    let trained: Set<String>?

    func offset(_ name: String) -> Int {
        guard let offset = offsets[name] else {
            preconditionFailure("ModelSlots: expected a tensor \"\(name)\" in the layout")
        }
        return offset
    }

    func linear(_ name: String, _ outputs: Int, _ inputs: Int) -> LinearSlot {
        LinearSlot(
            weight: offset(name + ".weight"),
            bias: offsets[name + ".bias"],
            outputs: outputs,
            inputs: inputs,
            isTrained: trained?.contains(name + ".weight") ?? true
        )
    }

    func norm(_ name: String) -> NormSlot {
        NormSlot(weight: offset(name + ".weight"), bias: offsets[name + ".bias"])
    }

    func visionLayer(_ index: Int, _ vision: VisionConfig) -> VisionLayerSlots {
        let layer = "vision.encoder.layers.\(index)."
        let (width, inner) = (vision.hiddenSize, vision.intermediateSize)
        return VisionLayerSlots(
            layerNorm1: norm(layer + "layer_norm1"),
            qProj: linear(layer + "self_attn.q_proj", width, width),
            kProj: linear(layer + "self_attn.k_proj", width, width),
            vProj: linear(layer + "self_attn.v_proj", width, width),
            outProj: linear(layer + "self_attn.out_proj", width, width),
            layerNorm2: norm(layer + "layer_norm2"),
            fc1: linear(layer + "mlp.fc1", inner, width),
            fc2: linear(layer + "mlp.fc2", width, inner)
        )
    }

    func decoderLayer(_ index: Int, _ text: TextConfig) -> DecoderLayerSlots {
        let layer = "text.layers.\(index)."
        let (hidden, inner) = (text.hiddenSize, text.intermediateSize)
        let queries = text.headCount * text.headDimension
        let keys = text.keyValueHeadCount * text.headDimension
        return DecoderLayerSlots(
            inputLayernorm: norm(layer + "input_layernorm"),
            qProj: linear(layer + "self_attn.q_proj", queries, hidden),
            kProj: linear(layer + "self_attn.k_proj", keys, hidden),
            vProj: linear(layer + "self_attn.v_proj", keys, hidden),
            oProj: linear(layer + "self_attn.o_proj", hidden, queries),
            postAttentionLayernorm: norm(layer + "post_attention_layernorm"),
            gateProj: linear(layer + "mlp.gate_proj", inner, hidden),
            upProj: linear(layer + "mlp.up_proj", inner, hidden),
            downProj: linear(layer + "mlp.down_proj", hidden, inner)
        )
    }
}
