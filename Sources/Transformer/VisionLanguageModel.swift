package import TensorKernels

/// One model: configuration and weights, without any state.
///
/// Everything that changes during a forward pass is passed in: activations, sequence, thread pool. One
/// model can therefore serve several engines at once.
package final class VisionLanguageModel: Sendable {
    /// The half that makes rows of the prompt from pixels, family by family.
    package enum Visual: Sendable {
        case llava(LlavaVisualModel)
        case qwen(QwenVisionTower)
    }

    /// Dimensions and family.
    package let config: ModelConfig
    /// The files it was read from.
    package let checkpoint: Checkpoint
    /// Pixels → rows of the prompt.
    package let visual: Visual
    /// Rows of the prompt → logits.
    package let decoder: TextDecoder

    /// Reads a checkpoint directory; positions `0..<positions` can be computed.
    ///
    /// - Throws: ``CheckpointError`` when a file is missing or malformed, or a tensor does not fit
    ///   the configuration.
    package convenience init(
        directory: String,
        positions: Int,
        precision: WeightPrecision = .stored,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let config = try ModelConfig(directory: directory)
        let checkpoint = try Checkpoint(directory: directory)
        try self.init(
            config: config,
            checkpoint: checkpoint,
            positions: positions,
            precision: precision,
            pool: pool
        )
    }

    /// Packs the weights of an opened checkpoint on the threads of `pool`; positions
    /// `0..<positions` can be computed.
    ///
    /// - Throws: ``CheckpointError`` when a tensor is missing or does not fit the configuration.
    package init(
        config: ModelConfig,
        checkpoint: Checkpoint,
        positions: Int,
        precision: WeightPrecision = .stored,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        self.config = config
        self.checkpoint = checkpoint
        let reader = try WeightReader(checkpoint: checkpoint, precision: precision)
        switch config.visual {
        case .llava(let config):
            visual = .llava(
                try LlavaVisualModel(reader: reader, config: config, pool: pool)
            )
        case .qwen(let vision):
            visual = .qwen(
                try QwenVisionTower(
                    reader: reader,
                    config: vision,
                    hiddenSize: config.text.hiddenSize,
                    pool: pool
                )
            )
        }
        decoder = try TextDecoder(
            reader: reader,
            config: config.text,
            positions: positions,
            pool: pool
        )
    }

    /// The visual half of LLaVA-OneVision; nil in a model of another family.
    package var llava: LlavaVisualModel? {
        if case .llava(let model) = visual { model } else { nil }
    }
}
