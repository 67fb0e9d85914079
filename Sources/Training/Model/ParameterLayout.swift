package import Hashing
package import Transformer

/// Which numbers a model has and where each lies in one flat f32 buffer.
///
/// Tensors with two or more dimensions come first and the rest after them, so that weight decay is one
/// range. Every tensor starts at a multiple of 16 floats; the gaps stay 0 and no gradient reaches them.
package struct ParameterLayout: Sendable, Equatable {
    /// One tensor.
    package struct Entry: Sendable, Equatable {
        /// The name it is saved under: Hugging Face's `save_pretrained`, or the original code's for a
        /// model of that family.
        package let name: String
        /// The name every part of the engine uses for it.
        package let canonicalName: String
        /// As stored.
        package let shape: [Int]
        /// First float in the buffer.
        package let offset: Int
        /// Number of floats.
        package let count: Int
        /// Whether weight decay applies: to matrices, not to biases, norms and `image_newline`.
        package let decays: Bool
        /// What a model made from nothing starts with.
        let start: ParameterStart
        /// Whether a checkpoint may lack it: SigLIP's last norm, which is stored but never used.
        let isOptional: Bool

        /// Whether it is the matrix by which an attention or a perceptron adds to the residual stream.
        var isOutputProjection: Bool {
            [".o_proj.weight", ".down_proj.weight", ".out_proj.weight", ".fc2.weight"].contains {
                canonicalName.hasSuffix($0)
            }
        }
    }

    /// In order of `offset`.
    package let entries: [Entry]
    /// Floats in the buffer, gaps included.
    package let count: Int
    /// Rows of the token embedding and of the head.
    package let vocabularySize: Int
    /// Dimensions of the model.
    package let config: LlavaConfig

    /// Lays out a model of `config` with `vocabularySize` token embeddings.
    package init(config: LlavaConfig, vocabularySize: Int) {
        self.config = config
        self.vocabularySize = vocabularySize
        let tensors = ModelTensors(config: config, vocabularySize: vocabularySize).all
        var entries: [Entry] = []
        var offset = 0
        for decays in [true, false] {
            for tensor in tensors where (tensor.shape.count > 1) == decays {
                let count = tensor.shape.reduce(1, *)
                entries.append(
                    Entry(
                        name: storedTensorName(ofCanonical: tensor.name, family: config.family),
                        canonicalName: tensor.name,
                        shape: tensor.shape,
                        offset: offset,
                        count: count,
                        decays: decays,
                        start: tensor.start,
                        isOptional: tensor.isOptional
                    )
                )
                offset += (count + 15) / 16 * 16
            }
        }
        self.entries = entries
        count = offset
    }

    /// Lays out the model in a checkpoint directory, with as many token embeddings as are stored.
    ///
    /// - Throws: ``TrainingError/modelUnusable(_:)``.
    package init(checkpointDirectory: String) throws(TrainingError) {
        do {
            let config = try LlavaConfig(trainable: checkpointDirectory)
            let reader = try WeightReader(checkpoint: Checkpoint(directory: checkpointDirectory))
            let stored = reader.shape(of: "text.embed_tokens.weight")
            self.init(
                config: config,
                vocabularySize: stored?.first ?? config.text.vocabularySize
            )
        } catch {
            throw .modelUnusable("\(error)")
        }
    }

    /// Numbers that are parameters: `count` without the gaps.
    package var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }

    /// Names the layout: SHA-256 over names and shapes.
    package var digest: Digest {
        var hash = SHA256()
        for entry in entries { hash.update("\(entry.name) \(entry.shape)\n") }
        return hash.digest()
    }

    /// The offset of every tensor by its canonical name.
    var offsets: [String: Int] {
        Dictionary(uniqueKeysWithValues: entries.map { ($0.canonicalName, $0.offset) })
    }
}

/// What the numbers of a tensor are before training.
enum ParameterStart: Sendable, Equatable {
    case zeros
    case ones
    /// Normal with mean 0.
    case normal(deviation: Float)
    /// Rows [side², width] of sines and cosines of the place in a grid, a quarter of the width each for
    /// sin x, cos x, sin y and cos y.
    case waves(side: Int)
}
