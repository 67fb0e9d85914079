package import TensorKernels

/// How an engine is built; the same for every engine of a pool.
package struct EngineOptions: Sendable {
    /// Compute threads of the engine.
    package var threads: Int
    /// Longest prompt with its answer, in tokens; the model's own limit when that is smaller.
    package var contextLimit: Int
    /// Bytes of image and clip features to keep.
    package var visionCacheBytes: Int
    /// Bytes of keys and values: of the requests that run, and of what later ones may begin with. At least
    /// one request of full length is provided for, and not more than `sequenceLimit` of them.
    package var keyValueBytes: Int
    /// How images are cut; nil for what the model family's reference does.
    package var layoutRule: ImageLayoutRule?
    /// The side that frames shown as pictures are squashed to before the tower's own, in pixels: what
    /// UnifiedReward's scripts do to them.
    package var frameSide: Int
    /// Whose prompts and places of clips a Qwen-VL model is given.
    package var convention: VideoConvention
    /// Rows of one step: of prompts, and one of each answer being written. Results do not depend on it;
    /// cancellation and memory do.
    package var prefillRows: Int
    /// Most sequences that run at a time.
    package var sequenceLimit: Int
    /// Whether the keys and values of a prompt serve others that start the same.
    package var reusesPrefix: Bool
    /// In what the model's matrices are held and multiplied.
    package var precision: WeightPrecision

    /// Describes an engine.
    package init(
        threads: Int,
        contextLimit: Int = 8192,
        visionCacheBytes: Int = 256 << 20,
        keyValueBytes: Int = 512 << 20,
        layoutRule: ImageLayoutRule? = nil,
        frameSide: Int = 512,
        convention: VideoConvention = .transformers4,
        prefillRows: Int = 256,
        sequenceLimit: Int = 64,
        reusesPrefix: Bool = true,
        precision: WeightPrecision = .stored
    ) {
        self.threads = max(threads, 1)
        self.contextLimit = max(contextLimit, 1)
        self.visionCacheBytes = max(visionCacheBytes, 0)
        self.keyValueBytes = max(keyValueBytes, 0)
        self.layoutRule = layoutRule
        self.frameSide = max(frameSide, 1)
        self.convention = convention
        self.prefillRows = max(prefillRows, 1)
        self.sequenceLimit = max(sequenceLimit, 1)
        self.reusesPrefix = reusesPrefix
        self.precision = precision
    }
}
