/// The keys of config.json's root that both layouts may have; all optional, checked afterwards.
struct RootConfig: Decodable {
    /// `text_config`: the decoder's own keys, and end-of-sequence ids beside them.
    struct Text: Decodable {
        let decoder: TextConfig.File
        let eos_token_id: TokenIDs?

        private enum Key: CodingKey {
            case eos_token_id
        }

        init(from decoder: any Decoder) throws {
            self.decoder = try TextConfig.File(from: decoder)
            eos_token_id = try decoder.container(keyedBy: Key.self).decodeIfPresent(
                TokenIDs.self,
                forKey: .eos_token_id
            )
        }
    }

    let model_type: String?
    let architectures: [String]?
    let text_config: Text?
    let vision_config: VisionConfig.File?
    let tie_word_embeddings: Bool?
    let image_grid_pinpoints: ImageGridPinpoints?
    let image_token_index: Double?
    let image_token_id: Double?
    let eos_token_id: TokenIDs?
    let projector_hidden_act: String?
    let multimodal_projector_bias: Bool?
    let vision_aspect_ratio: String?
    let vision_feature_layer: Double?
    let vision_feature_select_strategy: String?
    let image_aspect_ratio: String?
    let tokenizer_model_max_length: Double?
    let mm_vision_tower: String?
    let mm_projector_type: String?
    let mm_patch_merge_type: String?

    /// The family, from `architectures`, else `model_type`; anything else is refused by name.
    func family() throws(CheckpointError) -> ModelFamily {
        let architecture = architectures?.first
        let family = ModelFamily.allCases.first { family in
            architecture.map { $0 == family.architecture } ?? (model_type == family.modelType)
        }
        if let family { return family }
        let names = ModelFamily.allCases.map {
            "'\(architecture == nil ? $0.modelType : $0.architecture)'"
        }
        throw .unsupported(
            file: ConfigFile.name,
            path: architecture == nil ? "model_type" : "architectures[0]",
            expected: names.dropLast().joined(separator: ", ") + " or \(names[names.count - 1])",
            got: (architecture ?? model_type).map { "'\(shown($0))'" } ?? "nothing"
        )
    }

    /// Both parts of a converted checkpoint (`configuration_llava_onevision.py`).
    func convertedParts() throws(CheckpointError) -> (TextConfig, VisionConfig) {
        let field = ConfigField(prefix: "")
        try field.require("projector_hidden_act", projector_hidden_act, isOneOf: ["gelu"])
        try field.require("multimodal_projector_bias", multimodal_projector_bias, is: true)
        try field.require(
            "vision_feature_select_strategy",
            vision_feature_select_strategy,
            isOneOf: ["full"]
        )
        if let layer = vision_feature_layer, layer != -1 {
            throw .unsupported(
                file: ConfigFile.name,
                path: "vision_feature_layer",
                expected: "-1",
                got: Int(exactly: layer).map { "\($0)" } ?? "\(layer)"
            )
        }
        guard let text_config else {
            throw field.invalid("text_config", expected: "an object", got: "nothing")
        }
        try ConfigField(prefix: "text_config.").require(
            "model_type",
            text_config.decoder.model_type,
            isOneOf: ["qwen2"]
        )
        // A text model that ties counts, whatever the root says: older converters wrote it there.
        let tied =
            tie_word_embeddings ?? false || text_config.decoder.tie_word_embeddings ?? false
        let text = try TextConfig(
            text_config.decoder,
            of: .qwen2,
            prefix: "text_config.",
            tied: tied
        )
        let vision =
            try vision_config.map { file throws(CheckpointError) in
                try VisionConfig(file, deletedLayers: 0)
            } ?? .siglipSo400m
        return (text, vision)
    }

    /// Both parts of an original checkpoint: the root is the decoder's configuration, and the
    /// encoder is known by name unless a `vision_config` (not written by the original) is given,
    /// which counts the layer that is deleted.
    func originalParts(
        _ flat: TextConfig.File
    ) throws(CheckpointError) -> (TextConfig, VisionConfig) {
        let field = ConfigField(prefix: "")
        try field.require("mm_projector_type", mm_projector_type, isOneOf: ["mlp2x_gelu"])
        try field.require("mm_patch_merge_type", mm_patch_merge_type, isOneOf: ["spatial_unpad"])
        let text = try TextConfig(
            flat,
            of: .qwen2,
            prefix: "",
            tied: tie_word_embeddings ?? false
                || text_config?.decoder.tie_word_embeddings ?? false
        )
        if let vision_config {
            return (text, try VisionConfig(vision_config, deletedLayers: 1))
        }
        guard let tower = mm_vision_tower, tower.contains("siglip-so400m-patch14-384") else {
            throw .unsupported(
                file: ConfigFile.name,
                path: "mm_vision_tower",
                expected: "'google/siglip-so400m-patch14-384'",
                got: mm_vision_tower.map { "'\(shown($0))'" } ?? "nothing"
            )
        }
        return (text, .siglipSo400m)
    }

    /// N of `anyres_max_N`.
    func maximumTiles(family: ModelFamily) throws(CheckpointError) -> Int {
        let key = family == .llavaQwen ? "image_aspect_ratio" : "vision_aspect_ratio"
        let value = family == .llavaQwen ? image_aspect_ratio : vision_aspect_ratio
        let prefix = "anyres_max_"
        let text = value ?? "anyres_max_9"
        guard text.hasPrefix(prefix), let count = Int(text.dropFirst(prefix.count)),
            (1...1024).contains(count)
        else {
            throw .unsupported(
                file: ConfigFile.name,
                path: key,
                expected: "'anyres_max_9' or another number",
                got: "'\(shown(text))'"
            )
        }
        return count
    }
}

/// The keys of generation_config.json that count here. How an answer is drawn is the prompt pack's or the
/// job's to say, not the checkpoint's: its `do_sample`, `temperature`, `top_p` and `top_k` are left alone.
struct GenerationConfig: Decodable {
    let eos_token_id: TokenIDs?
    let repetition_penalty: Double?

    /// The penalty; 1 when there is none. Throws for one that no logit can be divided by.
    func checkedPenalty() throws(CheckpointError) -> Double {
        guard let penalty = repetition_penalty else { return 1 }
        guard (0.01...100).contains(penalty) else {
            throw .invalidField(
                file: ConfigFile.generationName,
                path: "repetition_penalty",
                expected: "a number from 0.01 to 100",
                got: "\(penalty)"
            )
        }
        return penalty
    }
}

/// One token id or a list of them.
struct TokenIDs: Decodable {
    let ids: [Double]

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let id = try? container.decode(Double.self) {
            ids = [id]
        } else {
            ids = try container.decode([Double].self)
        }
    }

    /// The ids, each once. Throws when one cannot be a token id.
    func checked() throws(CheckpointError) -> [Int32] {
        var checked: [Int32] = []
        for id in ids.prefix(64) {
            let id = try ConfigField(prefix: "").integer(
                "eos_token_id",
                id,
                absent: 0,
                in: 0...16_777_215
            )
            if !checked.contains(Int32(id)) { checked.append(Int32(id)) }
        }
        return checked
    }
}
