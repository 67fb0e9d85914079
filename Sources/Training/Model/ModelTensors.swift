import Transformer

/// Every tensor of a LLaVA-OneVision model with its shape and its starting values.
///
/// Names are the canonical ones of `Transformer`. Starting values: matrices normal with deviation 1/√inputs
/// (LeCun et al. 1998), those that add to a residual stream divided by √(2·layers) besides (as in GPT-2,
/// Radford et al. 2019), embeddings with 1/√width. GPT-2's own 0.02 for every matrix suits widths of some
/// thousand; at a width of 128 the layers then hardly speak, and a model learns nothing for long. Places of
/// patches start as waves, see `GridWaves`.
struct ModelTensors {
    /// One tensor before it has a place.
    struct Tensor {
        let name: String
        let shape: [Int]
        let start: ParameterStart
        var isOptional = false
    }

    private(set) var all: [Tensor] = []

    /// Lists the tensors of `config`; the head is left out when it is the token embedding.
    init(config: LlavaConfig, vocabularySize: Int) {
        let hidden = config.text.hiddenSize
        addVision(config.vision)
        add(
            "projector.0",
            [hidden, config.vision.hiddenSize],
            Self.matrix(inputs: config.vision.hiddenSize),
            bias: true
        )
        add("projector.1", [hidden, hidden], Self.matrix(inputs: hidden), bias: true)
        all.append(
            Tensor(name: "image_newline", shape: [hidden], start: Self.matrix(inputs: hidden))
        )
        addText(config.text, vocabularySize: vocabularySize)
    }

    private mutating func addVision(_ vision: VisionConfig) {
        let (width, inner) = (vision.hiddenSize, vision.intermediateSize)
        let patch = [width, 3, vision.patchSize, vision.patchSize]
        add(
            "vision.embeddings.patch_embedding",
            patch,
            Self.matrix(inputs: patch.dropFirst().reduce(1, *)),
            bias: true
        )
        add(
            "vision.embeddings.position_embedding",
            [vision.gridSide * vision.gridSide, width],
            .waves(side: vision.gridSide),
            bias: false
        )
        let layers = vision.layerCount
        for index in 0..<vision.layerCount {
            let layer = "vision.encoder.layers.\(index)."
            addNorm(layer + "layer_norm1", width, bias: true)
            for name in ["q_proj", "k_proj", "v_proj"] {
                add(
                    layer + "self_attn." + name,
                    [width, width],
                    Self.matrix(inputs: width),
                    bias: true
                )
            }
            add(
                layer + "self_attn.out_proj",
                [width, width],
                Self.residual(width, layers),
                bias: true
            )
            addNorm(layer + "layer_norm2", width, bias: true)
            add(layer + "mlp.fc1", [inner, width], Self.matrix(inputs: width), bias: true)
            add(layer + "mlp.fc2", [width, inner], Self.residual(inner, layers), bias: true)
        }
        addNorm("vision.post_layernorm", width, bias: true, isOptional: true)
    }

    private mutating func addText(_ text: TextConfig, vocabularySize: Int) {
        let (width, inner) = (text.hiddenSize, text.intermediateSize)
        let queries = text.headCount * text.headDimension
        let keys = text.keyValueHeadCount * text.headDimension
        add("text.embed_tokens", [vocabularySize, width], Self.matrix(inputs: width), bias: false)
        let layers = text.layerCount
        for index in 0..<text.layerCount {
            let layer = "text.layers.\(index)."
            addNorm(layer + "input_layernorm", width, bias: false)
            add(
                layer + "self_attn.q_proj",
                [queries, width],
                Self.matrix(inputs: width),
                bias: true
            )
            add(layer + "self_attn.k_proj", [keys, width], Self.matrix(inputs: width), bias: true)
            add(layer + "self_attn.v_proj", [keys, width], Self.matrix(inputs: width), bias: true)
            add(
                layer + "self_attn.o_proj",
                [width, queries],
                Self.residual(queries, layers),
                bias: false
            )
            addNorm(layer + "post_attention_layernorm", width, bias: false)
            add(layer + "mlp.gate_proj", [inner, width], Self.matrix(inputs: width), bias: false)
            add(layer + "mlp.up_proj", [inner, width], Self.matrix(inputs: width), bias: false)
            add(layer + "mlp.down_proj", [width, inner], Self.residual(inner, layers), bias: false)
        }
        addNorm("text.norm", width, bias: false)
        if !text.tiesWordEmbeddings {
            add("lm_head", [vocabularySize, width], Self.matrix(inputs: width), bias: false)
        }
    }

    private static func matrix(inputs: Int) -> ParameterStart {
        .normal(deviation: 1 / Float(inputs).squareRoot())
    }

    private static func residual(_ inputs: Int, _ layers: Int) -> ParameterStart {
        .normal(deviation: 1 / Float(2 * layers * inputs).squareRoot())
    }

    private mutating func add(
        _ name: String,
        _ shape: [Int],
        _ start: ParameterStart,
        bias: Bool
    ) {
        all.append(Tensor(name: name + ".weight", shape: shape, start: start))
        if bias { all.append(Tensor(name: name + ".bias", shape: [shape[0]], start: .zeros)) }
    }

    private mutating func addNorm(
        _ name: String,
        _ width: Int,
        bias: Bool,
        isOptional: Bool = false
    ) {
        all.append(
            Tensor(name: name + ".weight", shape: [width], start: .ones, isOptional: isOptional)
        )
        if bias {
            all.append(
                Tensor(name: name + ".bias", shape: [width], start: .zeros, isOptional: isOptional)
            )
        }
    }
}

/// The name a canonical tensor is saved under: as `save_pretrained` of
/// `LlavaOnevisionForConditionalGeneration` writes it, or as the original code does.
func storedTensorName(ofCanonical name: String, family: ModelFamily) -> String {
    let prefixes: [(canonical: String, stored: String)] =
        switch family {
        case .llavaOneVision:
            [
                ("vision.", "vision_tower.vision_model."),
                ("projector.0.", "multi_modal_projector.linear_1."),
                ("projector.1.", "multi_modal_projector.linear_2."),
                ("text.", "language_model.model."),
                ("lm_head.", "language_model.lm_head."),
            ]
        case .llavaQwen:
            [
                ("vision.", "model.vision_tower.vision_tower.vision_model."),
                ("projector.0.", "model.mm_projector.0."),
                ("projector.1.", "model.mm_projector.2."),
                ("text.", "model."),
                ("image_newline", "model.image_newline"),
            ]
        case .qwen25VL, .qwen3VL:
            preconditionFailure("only LLaVA-OneVision has a parameter layout")
        }
    guard let prefix = prefixes.first(where: { name.hasPrefix($0.canonical) }) else { return name }
    return prefix.stored + name.dropFirst(prefix.canonical.count)
}
