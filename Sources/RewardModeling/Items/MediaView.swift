package import VisionPreprocessing

/// How a template has an item's media shown: which frames of a video, and what is done to each picture first.
package struct MediaView: Sendable, Hashable {
    /// Which frames of a video file are shown.
    package let sampler: FrameSampler
    /// What is done to pictures and frames before the model's own preprocessing.
    package let preparation: PicturePreparation

    /// The usual frames, and pictures as they are, where nothing else is said.
    package init(
        sampler: FrameSampler = FrameSampler(),
        preparation: PicturePreparation = .none
    ) {
        self.sampler = sampler
        self.preparation = preparation
    }
}
