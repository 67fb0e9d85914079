/// What a model and its state will take, computed before anything is allocated.
package struct ModelMemory: Sendable, Equatable {
    /// Packed weights and the embedding table, bytes.
    package let weights: Int
    /// Keys and values of one sequence of full length, bytes.
    package let keyValueCache: Int
    /// Activations of the decoder and the vision encoder, bytes.
    package let activations: Int

    /// All of it.
    package var total: Int { weights + keyValueCache + activations }

    /// Estimates a checkpoint for sequences of `positions`, prefilled `rowCapacity` rows at a time.
    package init(
        config: ModelConfig,
        checkpoint: Checkpoint,
        positions: Int,
        rowCapacity: Int
    ) {
        var weights = 0
        for name in checkpoint.tensorNames {
            guard let tensor = checkpoint.tensor(name) else { continue }
            // Half precision may be widened when it is packed.
            weights += tensor.type == "F16" ? 2 * tensor.bytes.count : tensor.bytes.count
        }
        if config.text.tiesWordEmbeddings {
            // The head is a packed copy of the table.
            weights += 4 * config.text.vocabularySize * config.text.hiddenSize
        }
        self.weights = weights
        keyValueCache = SequenceState.byteCount(config: config.text, capacity: positions)
        activations =
            TextActivations.byteCount(config: config.text, rowCapacity: rowCapacity)
            + VisionActivations.byteCount(
                config: config.vision,
                hiddenSize: config.text.hiddenSize
            )
    }
}
