import Hashing
import TensorKernels
import Tokenization
import Transformer
import VisionPreprocessing

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
        of planned: InputBuilder.PlannedVisual,
        in prompt: EnginePrompt,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ImageFeatures {
        if let kept = visionCache.features(for: planned.key) { return kept }
        try cancellation.check()
        let features: ImageFeatures
        switch planned.source {
        case .image(let slot, let layout):
            features = try encode(
                builder.tiles(of: prompt.images[slot].image, layout: layout),
                packing: planned.packing,
                cancellation: cancellation
            )
        case .clip(let slot):
            features = try encode(prompt.clips[slot], cancellation: cancellation)
        }
        visionCache.insert(features, for: planned.key)
        return features
    }

    /// The rows of a clip, frame by frame.
    ///
    /// Frames do not see each other before the decoder, so the bits are those of all frames at once,
    /// while memory holds the tile and the features of one. A frame shown again is not encoded again.
    private func encode(
        _ clip: EngineClip,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ImageFeatures {
        let hidden = model.config.text.hiddenSize
        var encoded: [Digest: ImageFeatures] = [:]
        let rowsOfClip = model.packing.tokenCount(of: .pooledFrames(count: clip.frames.count))
        var values: [Float] = []
        values.reserveCapacity(rowsOfClip * hidden)
        var newline: ArraySlice<Float> = []
        for frame in clip.frames {
            let rows: ImageFeatures
            if let known = encoded[frame.digest] {
                rows = known
            } else {
                rows = try encode(
                    builder.tile(of: frame.image),
                    packing: .pooledFrames(count: 1),
                    cancellation: cancellation
                )
                encoded[frame.digest] = rows
            }
            // Each is followed by `image_newline`; a clip has one, after its last frame.
            values += rows.values.dropLast(hidden)
            newline = rows.values.suffix(hidden)
        }
        values += newline
        return ImageFeatures(tokens: rowsOfClip, hidden: hidden, values: values)
    }

    private func encode(
        _ processed: ProcessedImage,
        packing: ImageTiles.Packing,
        cancellation: CancellationFlag
    ) throws(InferenceError) -> ImageFeatures {
        let tiles = ImageTiles(
            tileCount: processed.tiles.count,
            pixels: processed.normalized(),
            packing: packing
        )
        do {
            return try model.encodeImage(
                tiles,
                activations: visionActivations,
                pool: pool,
                interrupt: { try cancellation.check() }
            )
        } catch {
            throw .cancelled
        }
    }
}
