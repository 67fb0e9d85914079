/// What config.json and generation_config.json say about a model, checked: every number is bounded
/// so that no product of them overflows, and every declared behaviour is one that is implemented.
package struct ModelConfig: Sendable, Equatable {
    /// The visual half, whose dimensions differ in kind from family to family.
    package enum Visual: Sendable, Equatable {
        case llava(LlavaConfig)
        case qwen(QwenVisionConfig)
    }

    package let family: ModelFamily
    /// `model_type` as written.
    package let modelType: String
    package let text: TextConfig
    package let visual: Visual
    /// Tokens that end an answer, of generation_config.json, else of config.json; may be empty.
    package let endOfSequenceIDs: [Int32]
    /// What generation_config.json divides the logits of repeated tokens by; 1 for nothing.
    package let repetitionPenalty: Double
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
        family = try root.family()
        modelType = root.model_type ?? ""
        switch family {
        case .llavaOneVision, .llavaQwen:
            let config = try LlavaConfig(root, family: family, directory: directory)
            text = config.text
            visual = .llava(config)
        case .qwen25VL, .qwen3VL:
            let parts = try QwenConfigFile(family: family, directory: directory)
            text = try parts.text(root)
            visual = .qwen(try parts.vision(text: text))
        }
        let endOfSequence =
            generation?.eos_token_id ?? root.eos_token_id ?? root.text_config?.eos_token_id
        endOfSequenceIDs = try endOfSequence?.checked() ?? []
        repetitionPenalty = try generation?.checkedPenalty() ?? 1
        contextLength = min(
            text.maximumPositions,
            try ConfigField(prefix: "").integer(
                "tokenizer_model_max_length",
                root.tokenizer_model_max_length,
                absent: text.maximumPositions,
                in: 1...16_777_216
            )
        )
    }

    /// The dimensions of LLaVA-OneVision; nil for a model of another family.
    package var llava: LlavaConfig? {
        if case .llava(let config) = visual { config } else { nil }
    }
}
