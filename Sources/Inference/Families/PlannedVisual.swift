package import Transformer
package import VisionPreprocessing

/// One image or clip of a prompt, or a part of a clip, sized but not yet cut.
package struct PlannedVisual: Sendable {
    /// What is shown, by its index in the prompt.
    package enum Source: Sendable, Equatable {
        /// One of the prompt's images.
        case image(Int)
        /// One of the prompt's clips.
        case clip(Int)
        /// A frame of one of the prompt's clips, shown as a picture.
        case frame(clip: Int, index: Int)
    }

    /// How it is cut for the vision tower, family by family.
    package enum Cut: Sendable {
        /// LLaVA-OneVision: tiles, and how their features become rows. A clip has a tile for each frame.
        case tiles(ImageProcessor.Layout, ImageTiles.Packing)
        /// Qwen-VL: patches.
        case patches(PatchCut)
    }

    /// What is shown.
    package let source: Source
    /// How it is cut.
    package let cut: Cut
    /// Rows it takes.
    package let tokens: Int
    /// Names its features and places: equal keys, equal features in equal places.
    package let key: String

    /// Where its rows stand, for a family that says so.
    var grid: VisualGrid? {
        if case .patches(let cut) = cut { return cut.grid }
        return nil
    }
}

/// A picture or clip in whole cells of a Qwen-VL tower.
package struct PatchCut: Sendable, Equatable {
    /// Size every frame is resized to, in pixels.
    package let width: Int
    package let height: Int
    /// Which pairs of a clip's frames; nil for a picture.
    package let pairs: Range<Int>?
    /// Where the rows stand.
    package let grid: VisualGrid
}
