import TensorKernels
import Tokenization
import Transformer
import VisionPreprocessing

/// Everything of one engine that changes while it computes: scratch, the sequence, the image cache.
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
    let visionActivations: VisionActivations
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
        visionActivations = VisionActivations(
            config: config.vision,
            hiddenSize: config.text.hiddenSize
        )
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
                imageTokens: plan.imageTokens
            )
        }
    }

    /// Encodes the images of a plan and splices their rows between its tokens.
    func prepare(
        _ plan: InputBuilder.Plan,
        prompt: EnginePrompt,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ModelInput {
        var input = ModelInput()
        var images = plan.images.makeIterator()
        for token in plan.tokens {
            switch token {
            case .id(let id):
                input.append(tokens: CollectionOfOne(id))
            case .image:
                guard let planned = images.next() else { continue }
                let features = try encode(
                    planned,
                    of: prompt.images[planned.slot],
                    cancellation: cancellation
                )
                input.append(image: features, key: planned.key)
            }
        }
        return input
    }

    /// The features of one image, from the cache or from the vision encoder.
    private func encode(
        _ planned: InputBuilder.PlannedImage,
        of image: EngineImage,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ImageFeatures {
        if let kept = visionCache.features(for: planned.key) { return kept }
        try cancellation.check()
        let processed = builder.tiles(of: image.image, layout: planned.layout)
        let tiles = ImageTiles(
            tileCount: processed.tiles.count,
            pixels: processed.normalized(),
            packing: planned.packing
        )
        let features: ImageFeatures
        do {
            features = try model.encodeImage(
                tiles,
                activations: visionActivations,
                pool: pool,
                interrupt: { try cancellation.check() }
            )
        } catch {
            throw .cancelled
        }
        visionCache.insert(features, for: planned.key)
        return features
    }
}
