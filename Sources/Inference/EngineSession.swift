import TensorKernels
import Tokenization
import Transformer

/// Everything of one engine that changes while it computes: scratch, the sequence, the cache of images and clips.
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
    let sequence: SequenceState
    var visionCache: VisionCache
    /// Its first `sequence.count` rows are those whose keys and values `sequence` holds.
    var sequenceInput = ModelInput()

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
        let config = model.config
        textActivations = TextActivations(
            decoder: model.decoder,
            rowCapacity: min(options.prefillRows, contextLimit)
        )
        visualEncoder = builder.family.makeEncoder(model: model, pool: pool)
        sequence = SequenceState(config: config.text, capacity: contextLimit)
        visionCache = VisionCache(limit: options.visionCacheBytes)
    }

    /// Refuses a prompt that does not fit with `answerTokens` after it.
    func checkRoom(
        _ plan: InputBuilder.Plan,
        answerTokens: Int
    ) throws(InferenceError) {
        let (needed, overflow) = plan.count.addingReportingOverflow(answerTokens)
        guard !overflow, needed <= contextLimit else {
            throw .promptTooLong(
                needed: overflow ? Int.max : needed,
                limit: contextLimit,
                imageTokens: plan.visualTokens
            )
        }
    }

    /// Encodes the images and clips of a plan and splices their rows between its tokens.
    func prepare(
        _ plan: InputBuilder.Plan,
        prompt: EnginePrompt,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ModelInput {
        var input = ModelInput()
        var visuals = plan.visuals.makeIterator()
        for token in plan.tokens {
            switch token {
            case .id(let id):
                input.append(tokens: CollectionOfOne(id))
            case .image, .video:
                guard let planned = visuals.next() else { continue }
                let features = try features(of: planned, in: prompt, cancellation: cancellation)
                input.append(image: features, key: planned.key)
            }
        }
        return input
    }

    /// The features of one image or clip, from the cache or from the vision encoder.
    private func features(
        of planned: PlannedVisual,
        in prompt: EnginePrompt,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ImageFeatures {
        if let kept = visionCache.features(for: planned.key) { return kept }
        try cancellation.check()
        let features = try visualEncoder.features(
            of: planned,
            in: prompt,
            interrupt: { () throws(InferenceError) in try cancellation.check() }
        )
        visionCache.insert(features, for: planned.key)
        return features
    }
}
