/// What config.json says about a LLaVA-OneVision model beside its decoder.
package struct LlavaConfig: Sendable, Equatable {
    /// The layout of the checkpoint, converted or original.
    package let family: ModelFamily
    package let text: TextConfig
    package let vision: VisionConfig
    /// The tilings an image may be cut to, in the order in which they are tried.
    package let imageGridPinpoints: [GridSize]
    /// N of `anyres_max_N`: a grid of features is shrunk to N tiles' worth.
    package let maximumTiles: Int
    /// The token that marks an image's place; nil in original checkpoints, where prompts are split.
    package let imageTokenID: Int32?

    /// Checks the values of a checkpoint of either layout. Throws a sentence that names the key.
    init(
        _ root: RootConfig,
        family: ModelFamily,
        directory: String
    ) throws(CheckpointError) {
        self.family = family
        if family == .llavaQwen {
            let flat = try ConfigFile.decode(
                TextConfig.File.self,
                directory: directory,
                name: ConfigFile.name
            )
            (text, vision) = try root.originalParts(flat)
        } else {
            (text, vision) = try root.convertedParts()
        }
        imageGridPinpoints = try (root.image_grid_pinpoints ?? .range("(1x1),...,(6x6)")).sizes(
            imageSize: vision.imageSize,
            widthFirst: family == .llavaQwen
        )
        maximumTiles = try root.maximumTiles(family: family)
        imageTokenID =
            family == .llavaQwen
            ? nil
            : Int32(
                try ConfigField(prefix: "").integer(
                    "image_token_index",
                    root.image_token_index ?? root.image_token_id,
                    absent: 151_646,
                    in: 0...16_777_215
                )
            )
    }

    /// Reads a checkpoint directory that must be of this family, as training needs. Throws a sentence
    /// that names the file and key.
    package init(trainable directory: String) throws(CheckpointError) {
        let config = try ModelConfig(directory: directory)
        guard let llava = config.llava else {
            throw .invalidField(
                file: ConfigFile.name,
                path: "model_type",
                expected: "'llava_onevision' or 'llava_qwen', the families that can be trained",
                got: "'\(shown(config.modelType))'"
            )
        }
        self = llava
    }
}
