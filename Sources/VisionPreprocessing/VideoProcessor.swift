/// Turns frames of a video into what a SigLIP vision tower expects: one tile for each frame.
///
/// Reference: `video_processing_llava_onevision.py`, which resizes and normalises tensors by
/// torchvision where pictures go through Pillow. Bytes are equal before normalisation and floats are
/// equal after it. Which frames of a video are shown is the caller's choice.
package struct VideoProcessor: Sendable {
    /// Side of a tile in pixels.
    package let imageSize: Int
    private let levels: [Float]

    /// - Parameters: `mean` and `standardDeviation`, of samples in 0…1, have three entries.
    package init(imageSize: Int, mean: [Float], standardDeviation: [Float]) {
        precondition(imageSize > 0 && mean.count == 3 && standardDeviation.count == 3)
        self.imageSize = imageSize
        levels = PixelLevels.values(
            mean: mean,
            standardDeviation: standardDeviation,
            arithmetic: .torchvision
        )
    }

    /// The processor a checkpoint's directory describes, see ``ImageProcessorConfiguration``.
    ///
    /// Without a description `imageSize` is taken and mean and deviation are 0.5, SigLIP's.
    ///
    /// - Throws: a sentence naming the file, the field, what was expected and what was found.
    package static func read(
        directory: String,
        imageSize: Int
    ) throws(VisionPreprocessingError) -> VideoProcessor {
        let configuration = try ImageProcessorConfiguration.readVideo(directory: directory)
        try configuration?.checkSteps()
        return VideoProcessor(
            imageSize: try configuration?.side() ?? imageSize,
            mean: try configuration?.mean() ?? [0.5, 0.5, 0.5],
            standardDeviation: try configuration?.standardDeviation() ?? [0.5, 0.5, 0.5]
        )
    }

    /// Every frame squashed to a tile, in order.
    ///
    /// - Precondition: there is a frame. The original size of the result is the first one's.
    package func tiles(of frames: [RGBImage]) -> ProcessedImage {
        precondition(!frames.isEmpty)
        return ProcessedImage(
            tiles: frames.map { frame in
                BicubicResampler.resize(
                    frame,
                    width: imageSize,
                    height: imageSize,
                    arithmetic: .torchvision
                )
            },
            gridRows: 0,
            gridColumns: 0,
            original: frames[0],
            levels: levels
        )
    }
}
