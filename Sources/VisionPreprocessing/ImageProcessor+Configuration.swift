import FoundationEssentials

/// Reading `preprocessor_config.json`.
extension ImageProcessor {
    /// The processor described by `preprocessor_config.json` in a checkpoint's directory.
    ///
    /// Without that file (or the `image_processor` part of `processor_config.json`, where newer
    /// versions of the reference put it) `imageSize` and `pinpoints` are taken and mean and
    /// deviation are 0.5, SigLIP's. A file that leaves out its mean gets the default of the
    /// class it names, as the reference does.
    ///
    /// - Throws: a sentence naming the file, the field, what was expected and what was found.
    package static func read(
        directory: String,
        imageSize: Int,
        pinpoints: [(height: Int, width: Int)]
    ) throws(VisionPreprocessingError) -> ImageProcessor {
        let configuration = try ImageProcessorConfiguration.read(directory: directory)
        let size = try configuration?.side() ?? imageSize
        let mean = try configuration?.mean() ?? [0.5, 0.5, 0.5]
        let deviation = try configuration?.standardDeviation() ?? [0.5, 0.5, 0.5]
        let grid = try configuration?.pinpoints(side: size) ?? pinpoints
        try configuration?.checkSteps()
        let file = configuration?.file ?? directory
        try ImageProcessorConfiguration.check(pinpoints: grid, side: size, file: file)
        return ImageProcessor(
            imageSize: size,
            mean: mean,
            standardDeviation: deviation,
            pinpoints: grid
        )
    }
}
