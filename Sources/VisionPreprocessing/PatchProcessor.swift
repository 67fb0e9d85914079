/// Turns a picture, or two frames of a clip, into the patches a Qwen-VL vision tower expects.
///
/// Reference: `image_processing_qwen2_vl.py` and its Pillow form, `video_processing_qwen2_vl.py`,
/// `video_processing_qwen3_vl.py`. Bytes are equal before normalisation and floats are equal after it.
/// Which frames of a video are shown is the caller's choice.
package struct PatchProcessor: Sendable {
    /// Side of a patch in pixels.
    package let patchSize: Int
    /// The sizes pictures are brought to.
    package let budget: PixelBudget
    /// Per channel, of samples in 0…1.
    package let mean: [Float]
    package let standardDeviation: [Float]
    /// Whose resizing and whose normalisation.
    package let arithmetic: BicubicResampler.Arithmetic
    private let levels: [Float]

    /// - Parameters: `mean` and `standardDeviation` have three entries; a cell is 2 × 2 patches.
    package init(
        patchSize: Int,
        leastPixels: Int,
        mostPixels: Int,
        mean: [Float],
        standardDeviation: [Float],
        arithmetic: BicubicResampler.Arithmetic
    ) {
        self.patchSize = patchSize
        budget = PixelBudget(factor: 2 * patchSize, least: leastPixels, most: mostPixels)
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.arithmetic = arithmetic
        levels = PixelLevels.values(
            mean: mean,
            standardDeviation: standardDeviation,
            arithmetic: arithmetic
        )
    }

    /// This processor with the arithmetic of the other library.
    package func with(arithmetic: BicubicResampler.Arithmetic) -> PatchProcessor {
        PatchProcessor(
            patchSize: patchSize,
            leastPixels: budget.least,
            mostPixels: budget.most,
            mean: mean,
            standardDeviation: standardDeviation,
            arithmetic: arithmetic
        )
    }

    /// The patches of frames resized to whole cells of one size; a picture is one frame, shown twice.
    ///
    /// - Precondition: one frame or two; sides are multiples of a cell's.
    package func patches(of frames: [RGBImage], width: Int, height: Int) -> ProcessedPatches {
        precondition((1...2).contains(frames.count), "a picture or two frames")
        precondition(width % budget.factor == 0 && height % budget.factor == 0, "whole cells")
        return ProcessedPatches(
            frames: frames.map { frame in
                BicubicResampler.resize(
                    frame,
                    width: width,
                    height: height,
                    arithmetic: arithmetic
                )
            },
            patchSize: patchSize,
            levels: levels
        )
    }
}
