/// Reading `preprocessor_config.json` of a Qwen-VL checkpoint.
extension PatchProcessor {
    /// What a class of the reference does where the file says nothing.
    package struct Defaults: Sendable {
        let leastPixels: Int
        let mostPixels: Int
        let isClip: Bool

        /// `Qwen2VLImageProcessor`; Qwen3-VL uses the same class.
        package static let picture = Defaults(
            leastPixels: 56 * 56,
            mostPixels: 28 * 28 * 1280,
            isClip: false
        )
        /// `Qwen2VLVideoProcessor`.
        package static let qwen25Clip = Defaults(
            leastPixels: 128 * 28 * 28,
            mostPixels: 768 * 28 * 28,
            isClip: true
        )
        /// `Qwen3VLVideoProcessor`.
        package static let qwen3Clip = Defaults(
            leastPixels: 128 * 32 * 32,
            mostPixels: 768 * 32 * 32,
            isClip: true
        )
    }

    /// The processor a checkpoint's directory describes, see ``ImageProcessorConfiguration``; clips have
    /// that of pictures when they have none of their own.
    ///
    /// - Parameters: `patchSize` is the tower's, which the file must agree with.
    /// - Throws: a sentence naming the file, the field, what was expected and what was found.
    package static func read(
        directory: String,
        patchSize: Int,
        defaults: Defaults,
        arithmetic: BicubicResampler.Arithmetic
    ) throws(VisionPreprocessingError) -> PatchProcessor {
        let configuration =
            defaults.isClip
            ? try ImageProcessorConfiguration.readVideo(directory: directory)
            : try ImageProcessorConfiguration.read(directory: directory)
        guard let configuration else {
            throw VisionPreprocessingError(
                "\(directory): expected preprocessor_config.json, got no such file. Copy it from "
                    + "the published checkpoint."
            )
        }
        try configuration.checkSteps()
        try configuration.checkPatches(side: patchSize)
        let pixels = try configuration.pixels(
            least: defaults.leastPixels,
            most: defaults.mostPixels
        )
        return PatchProcessor(
            patchSize: patchSize,
            leastPixels: pixels.least,
            mostPixels: pixels.most,
            mean: try configuration.mean(),
            standardDeviation: try configuration.standardDeviation(),
            arithmetic: arithmetic
        )
    }
}
