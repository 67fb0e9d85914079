import Hashing
import TensorKernels
package import Transformer
import VisionPreprocessing

/// SigLIP, projector and packing at work.
package final class LlavaEncoder: VisualEncoder {
    let model: LlavaVisualModel
    let family: LlavaFamily
    let pool: ComputeThreadPool
    let activations: VisionActivations

    init(model: LlavaVisualModel, family: LlavaFamily, pool: ComputeThreadPool) {
        self.model = model
        self.family = family
        self.pool = pool
        activations = VisionActivations(
            config: model.config.vision,
            hiddenSize: model.config.text.hiddenSize
        )
    }

    package var observer: ForwardObserver? {
        get { activations.observer }
        set { activations.observer = newValue }
    }

    package func features(
        of planned: PlannedVisual,
        in prompt: EnginePrompt,
        interrupt: () throws(InferenceError) -> Void
    ) throws(InferenceError) -> ImageFeatures {
        guard case .tiles(let layout, let packing) = planned.cut else {
            preconditionFailure("expected a plan of this family")
        }
        switch planned.source {
        case .image(let slot):
            return try encode(
                family.tiles(of: prompt.images[slot].image, layout: layout),
                packing: packing,
                interrupt: interrupt
            )
        case .clip(let slot):
            return try encode(prompt.clips[slot], interrupt: interrupt)
        case .frame(let slot, let index):
            return try encode(
                family.pictureTile(of: prompt.clips[slot].frames[index].image),
                packing: packing,
                interrupt: interrupt
            )
        }
    }

    /// The rows of a clip, frame by frame.
    ///
    /// Frames do not see each other before the decoder, so the bits are those of all frames at once,
    /// while memory holds the tile and the features of one. A frame shown again is not encoded again.
    private func encode(
        _ clip: EngineClip,
        interrupt: () throws(InferenceError) -> Void
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
                    family.tile(of: frame.image),
                    packing: .pooledFrames(count: 1),
                    interrupt: interrupt
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
        interrupt: () throws(InferenceError) -> Void
    ) throws(InferenceError) -> ImageFeatures {
        let tiles = ImageTiles(
            tileCount: processed.tiles.count,
            pixels: processed.normalized(),
            packing: packing
        )
        do {
            return try model.encodeImage(
                tiles,
                activations: activations,
                pool: pool,
                interrupt: interrupt
            )
        } catch {
            throw .cancelled
        }
    }
}
