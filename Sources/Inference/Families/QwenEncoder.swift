import Hashing
import TensorKernels
package import Transformer
import VisionPreprocessing

/// A Qwen vision tower at work.
package final class QwenEncoder: VisualEncoder {
    let tower: QwenVisionTower
    let family: QwenFamily
    let pool: ComputeThreadPool
    let activations: QwenVisionActivations

    init(tower: QwenVisionTower, family: QwenFamily, pool: ComputeThreadPool) {
        self.tower = tower
        self.family = family
        self.pool = pool
        activations = QwenVisionActivations(config: tower.config, hiddenSize: tower.hiddenSize)
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
        guard case .patches(let cut) = planned.cut else {
            preconditionFailure("expected a plan of this family")
        }
        switch planned.source {
        case .image(let slot):
            let image = prompt.images[slot].image
            return try encode(patches(of: [image], cut, family.processor), interrupt)
        case .clip(let slot):
            return try encode(prompt.clips[slot], cut: cut, interrupt: interrupt)
        case .frame:
            preconditionFailure("expected a plan of this family")
        }
    }

    /// The frames of pair `pair` of a clip of `count`; the last one twice when it has no partner.
    static func frames(ofPair pair: Int, count: Int) -> (first: Int, second: Int) {
        (2 * pair, min(2 * pair + 1, count - 1))
    }

    /// The patches of a picture or of two frames, still 8 bits per sample.
    func patches(
        of frames: [RGBImage],
        _ cut: PatchCut,
        _ processor: PatchProcessor
    ) -> ProcessedPatches {
        processor.patches(of: frames, width: cut.width, height: cut.height)
    }

    /// The rows of some pairs of a clip's frames, pair by pair.
    ///
    /// Pairs do not see each other before the decoder, so the bits are those of all at once, while memory
    /// holds the patches of one. A pair shown again is not encoded again.
    private func encode(
        _ clip: EngineClip,
        cut: PatchCut,
        interrupt: () throws(InferenceError) -> Void
    ) throws(InferenceError) -> ImageFeatures {
        var encoded: [[Digest]: ImageFeatures] = [:]
        var values: [Float] = []
        var deepstack = [[Float]](repeating: [], count: tower.config.deepstackCount)
        for pair in cut.pairs ?? 0..<0 {
            let (first, second) = Self.frames(ofPair: pair, count: clip.frames.count)
            let shown = [clip.frames[first], clip.frames[second]]
            let key = shown.map(\.digest)
            let rows: ImageFeatures
            if let known = encoded[key] {
                rows = known
            } else {
                let processed = patches(of: shown.map(\.image), cut, family.clipProcessor)
                rows = try encode(processed, interrupt)
                encoded[key] = rows
            }
            values += rows.values
            for level in deepstack.indices { deepstack[level] += rows.deepstack[level] }
        }
        return ImageFeatures(
            tokens: cut.grid.count,
            hidden: tower.hiddenSize,
            values: values,
            deepstack: deepstack,
            grid: cut.grid
        )
    }

    private func encode(
        _ processed: ProcessedPatches,
        _ interrupt: () throws(InferenceError) -> Void
    ) throws(InferenceError) -> ImageFeatures {
        do {
            return try tower.encode(
                PicturePatches(
                    rows: processed.rows,
                    columns: processed.columns,
                    pixels: processed.normalized()
                ),
                activations: activations,
                pool: pool,
                interrupt: interrupt
            )
        } catch {
            throw .cancelled
        }
    }
}
