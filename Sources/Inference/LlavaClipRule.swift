package import Transformer

/// How LLaVA-OneVision is shown the frames of a clip.
package enum LlavaClipRule: String, Sendable, Hashable {
    /// One run of rows: each frame pooled to a quarter of its patches, and one newline after the last. Hugging
    /// Face's video path.
    case pooled = "pooled2"
    /// A picture for each frame, of one tile and all its patches, set apart by line breaks. What the original
    /// code makes of the frames that UnifiedReward's scripts hand it: a stack of tiles, which it takes for
    /// neither a video nor pictures to be cut.
    case frames

    /// What the reference code of a layout of LLaVA-OneVision does.
    package static func standard(for family: ModelFamily) -> LlavaClipRule {
        family == .llavaQwen ? .frames : .pooled
    }
}
