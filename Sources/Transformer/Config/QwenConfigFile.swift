/// config.json of a Qwen-VL model, in the three forms it comes in: the decoder's keys at the root, in
/// `text_config`, or in both.
struct QwenConfigFile {
    private struct Root: Decodable {
        let vision_config: QwenVisionConfig.File?
        let tie_word_embeddings: Bool?
    }

    let family: ModelFamily
    private let flat: TextConfig.File
    private let root: Root

    /// Reads the file. Throws a sentence that names it and the key.
    init(family: ModelFamily, directory: String) throws(CheckpointError) {
        self.family = family
        let name = ConfigFile.name
        flat = try ConfigFile.decode(TextConfig.File.self, directory: directory, name: name)
        root = try ConfigFile.decode(Root.self, directory: directory, name: name)
    }

    /// The decoder's dimensions: those in `text_config` where there is one.
    func text(_ common: RootConfig) throws(CheckpointError) -> TextConfig {
        let nested = common.text_config?.decoder
        let isTied = root.tie_word_embeddings ?? false || nested?.tie_word_embeddings ?? false
        return try TextConfig(
            nested ?? flat,
            of: family == .qwen3VL ? .qwen3VL : .qwen25VL,
            prefix: nested == nil ? "" : "text_config.",
            tied: isTied
        )
    }

    /// The vision tower's dimensions, which must fit the decoder's.
    func vision(text: TextConfig) throws(CheckpointError) -> QwenVisionConfig {
        guard let file = root.vision_config else {
            throw ConfigField(prefix: "").invalid(
                "vision_config",
                expected: "an object",
                got: "nothing"
            )
        }
        return family == .qwen3VL
            ? try QwenVisionConfig(qwen3: file, text: text)
            : try QwenVisionConfig(qwen25: file, text: text)
    }
}
