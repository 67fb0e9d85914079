/// Which of the two layouts a LLaVA-OneVision checkpoint has.
package enum ModelFamily: String, Sendable {
    /// Converted to Hugging Face naming (`llava_onevision`).
    case llavaOneVision
    /// As trained (`llava_qwen`, or `llava` with architecture `LlavaQwenForCausalLM`).
    case llavaQwen
}

/// What config.json and generation_config.json say about a model, checked: every number is bounded
/// so that no product of them overflows, and every declared behaviour is one that is implemented.
package struct ModelConfig: Sendable, Equatable {
    package let family: ModelFamily
    /// `model_type` as written.
    package let modelType: String
    package let text: TextConfig
    package let vision: VisionConfig
    /// The tilings an image may be cut to, in the order in which they are tried.
    package let imageGridPinpoints: [GridSize]
    /// N of `anyres_max_N`: a grid of features is shrunk to N tiles' worth.
    package let maximumTiles: Int
    /// The token that marks an image's place; nil in original checkpoints, where prompts are split.
    package let imageTokenID: Int32?
    /// Tokens that end an answer, of generation_config.json, else of config.json; may be empty.
    package let endOfSequenceIDs: [Int32]
    /// Positions the model was trained for: prompt and answer together.
    package let contextLength: Int

    /// Reads a checkpoint directory. Throws a sentence that names the file and key; an unknown
    /// architecture is refused by its name.
    package init(directory: String) throws(CheckpointError) {
        let root = try ConfigFile.decode(
            RootConfig.self,
            directory: directory,
            name: ConfigFile.name
        )
        let generation = try ConfigFile.decodeIfPresent(
            GenerationConfig.self,
            directory: directory,
            name: ConfigFile.generationName
        )
        let family = try root.family()
        self.family = family
        modelType = root.model_type ?? ""
        switch family {
        case .llavaOneVision:
            (text, vision) = try root.convertedParts()
        case .llavaQwen:
            let flat = try ConfigFile.decode(
                TextConfig.File.self,
                directory: directory,
                name: ConfigFile.name
            )
            (text, vision) = try root.originalParts(flat)
        }
        let field = ConfigField(prefix: "")
        imageGridPinpoints = try (root.image_grid_pinpoints ?? .range("(1x1),...,(6x6)")).sizes(
            imageSize: vision.imageSize,
            widthFirst: family == .llavaQwen
        )
        maximumTiles = try root.maximumTiles(family: family)
        let imageToken = root.image_token_index ?? root.image_token_id
        imageTokenID =
            family == .llavaQwen
            ? nil
            : Int32(
                try field.integer(
                    "image_token_index",
                    imageToken,
                    absent: 151_646,
                    in: 0...16_777_215
                )
            )
        let endOfSequence =
            generation?.eos_token_id ?? root.eos_token_id ?? root.text_config?.eos_token_id
        endOfSequenceIDs = try endOfSequence?.checked() ?? []
        contextLength = min(
            text.maximumPositions,
            try field.integer(
                "tokenizer_model_max_length",
                root.tokenizer_model_max_length,
                absent: text.maximumPositions,
                in: 1...16_777_216
            )
        )
    }
}
