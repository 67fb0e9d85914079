import TensorKernels
import Tokenization
import Transformer

/// Everything of one engine that changes while it computes, but for the sequences: scratch, and the cache of
/// images and clips.
///
/// Used from one thread at a time; it blocks and computes, and knows nothing of tasks.
// @unchecked Sendable because after its creation only the engine thread touches it.
package final class EngineSession: @unchecked Sendable {
    let model: VisionLanguageModel
    let builder: InputBuilder
    let options: EngineOptions
    /// Longest prompt with its answer, tokens.
    let contextLimit: Int
    /// Tokens that end the model's turn.
    let endTokens: Set<Int32>
    /// The token that ends a turn in the chat template.
    let endOfTurn: Int32

    let pool: ComputeThreadPool
    let textActivations: TextActivations
    let visualEncoder: any VisualEncoder
    var visionCache: VisionCache

    init(
        model: VisionLanguageModel,
        builder: InputBuilder,
        pool: ComputeThreadPool,
        options: EngineOptions,
        contextLimit: Int,
        endTokens: Set<Int32>,
        endOfTurn: Int32
    ) {
        self.model = model
        self.builder = builder
        self.options = options
        self.contextLimit = contextLimit
        self.endTokens = endTokens
        self.endOfTurn = endOfTurn
        self.pool = pool
        textActivations = TextActivations(
            decoder: model.decoder,
            rowCapacity: options.prefillRows
        )
        visualEncoder = builder.family.makeEncoder(model: model, pool: pool)
        visionCache = VisionCache(limit: options.visionCacheBytes)
    }

    /// The features of one image or clip, from the cache or from the vision encoder.
    ///
    /// `interrupt` is called between layers and throws to break off.
    func features(
        of planned: PlannedVisual,
        in prompt: EnginePrompt,
        interrupt: () throws(InferenceError) -> Void
    ) throws(InferenceError) -> ImageFeatures {
        if let kept = visionCache.features(for: planned.key) { return kept }
        try interrupt()
        let features = try visualEncoder.features(of: planned, in: prompt, interrupt: interrupt)
        visionCache.insert(features, for: planned.key)
        return features
    }
}

/// Seconds of a monotonic clock since `start`.
func secondsSince(_ start: ContinuousClock.Instant) -> Double {
    let elapsed = ContinuousClock.now - start
    let (seconds, attoseconds) = elapsed.components
    return Double(seconds) + Double(attoseconds) * 1e-18
}
