package import TensorKernels
package import Tokenization
package import Transformer

/// How a family of models is shown images and clips: what it makes of them before the decoder.
///
/// One conformance a family, chosen once, in ``visualFamily(of:directory:options:)``; the rest of the
/// engine knows rows, keys and places only.
package protocol VisualFamily: Sendable {
    /// Names what decides the pixels, rows and places of a picture or clip.
    ///
    /// Part of the fingerprint of every judgement, see ``EngineBlueprint/identity``.
    func identity(template: ChatTemplate) -> String

    /// Patches of the largest picture, where the family's memory grows with the picture.
    var patchLimit: Int { get }

    /// Sizes the images and clips of a rendered prompt, without touching a pixel.
    ///
    /// - Throws: ``InferenceError/invalidRequest(_:)`` for a slot without an image or clip, or one that
    ///   cannot be shown.
    func plan(
        _ elements: [PromptElement],
        of prompt: EnginePrompt
    ) throws(InferenceError) -> VisualPlan

    /// What encodes the planned images and clips, with its scratch memory.
    ///
    /// - Precondition: the model is of this family.
    func makeEncoder(model: VisionLanguageModel, pool: ComputeThreadPool) -> any VisualEncoder
}

/// The images and clips of a prompt, sized.
package struct VisualPlan: Sendable {
    /// The prompt; of its slots the n-th is the place of the n-th of `visuals`.
    package var elements: [PromptElement]
    /// In order of appearance.
    package var visuals: [PlannedVisual]
}

/// The visual half of a model at work. Belongs to one engine thread.
package protocol VisualEncoder: AnyObject {
    /// Looks at the rows between layers; nil in an engine.
    var observer: ForwardObserver? { get set }

    /// The rows of one planned image or clip.
    ///
    /// - Throws: ``InferenceError/cancelled``.
    func features(
        of planned: PlannedVisual,
        in prompt: EnginePrompt,
        interrupt: () throws(InferenceError) -> Void
    ) throws(InferenceError) -> ImageFeatures
}

/// The family of a checkpoint, set up by the files beside its weights.
func visualFamily(
    of config: ModelConfig,
    directory: String,
    options: EngineOptions
) throws -> any VisualFamily {
    switch config.visual {
    case .llava(let llava):
        try LlavaFamily(directory: directory, config: llava, options: options)
    case .qwen(let vision):
        try QwenFamily(directory: directory, vision: vision, convention: options.convention)
    }
}

extension EnginePrompt {
    /// The image of a slot.
    func image(at slot: Int) throws(InferenceError) -> EngineImage {
        try check(slot, below: images.count, noun: "an image", "image")
        return images[slot]
    }

    /// The clip of a slot; it has a frame.
    func clip(at slot: Int) throws(InferenceError) -> EngineClip {
        try check(slot, below: clips.count, noun: "a video", "video")
        guard !clips[slot].frames.isEmpty else {
            throw .invalidRequest(
                "clips[\(slot)]: expected at least one frame, got none. Give the frames to show."
            )
        }
        return clips[slot]
    }

    private func check(
        _ slot: Int,
        below count: Int,
        noun: String,
        _ name: String
    ) throws(InferenceError) {
        guard slot >= 0, slot < count else {
            throw .invalidRequest(
                "content: expected \(noun) slot below \(count), got \(slot). Add the \(name) or "
                    + "drop the slot."
            )
        }
    }
}
