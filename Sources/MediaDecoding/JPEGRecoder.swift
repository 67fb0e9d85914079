import ChildProcesses
package import VisionPreprocessing

/// Writes a picture as a JPEG file and reads it again, by the operating system's `cjpeg` and `djpeg`, each in a
/// process of its own with limits: what becomes of a picture that a script sends to a server as JPEG.
///
/// The pixels are those that Pillow reads of a file that Pillow wrote. A value is cheap and safe to use from many
/// threads; `recode` blocks for as long as the programs run.
package struct JPEGRecoder: Sendable {
    /// The longest side that libjpeg writes.
    private static let longestSide = 65_500

    private let limits: MediaLimits
    private let decoder: ImageDecoder
    private let programs: InstalledPrograms

    /// Finds the programs in the system's directories, now.
    package init(limits: MediaLimits) {
        self.init(limits: limits, directories: InstalledPrograms.directories)
    }

    init(limits: MediaLimits, directories: [String]) {
        // The file is this program's own: only the picture in it is bounded.
        var own = limits
        own.maximumFileBytes = .max
        self.limits = limits
        decoder = ImageDecoder(limits: own, directories: directories)
        programs = InstalledPrograms(
            [DecodeCommand.writing(jpegOf: 95).program],
            in: directories
        )
    }

    /// The picture after it was a JPEG file of a quality from 1 to 100.
    package func recode(_ image: RGBImage, quality: Int) throws(MediaError) -> RGBImage {
        guard max(image.width, image.height) <= Self.longestSide else {
            throw .tooLarge(
                "image: expected sides of at most \(Self.longestSide) pixels for a JPEG file, got "
                    + "\(image.width) × \(image.height). Resize it."
            )
        }
        return try decoder.decode(write(image, quality: quality))
    }

    private func write(_ image: RGBImage, quality: Int) throws(MediaError) -> [UInt8] {
        let command = DecodeCommand.writing(jpegOf: quality)
        var processLimits = ProcessLimits()
        processLimits.memoryBytes = limits.maximumMemoryBytes
        processLimits.processorSeconds = limits.maximumSeconds
        processLimits.milliseconds = limits.maximumSeconds * 1000
        // Noise at the best quality takes some 3 bytes a pixel; blocks at the edges are whole.
        let paddedPixels = (image.width + 16) * (image.height + 16)
        processLimits.outputBytes = paddedPixels * 6 + 4096
        let process = LimitedProcess(
            path: try programs.path(of: command.program, package: command.package),
            arguments: command.arguments,
            limits: processLimits
        )
        let outcome: ProcessOutcome
        do {
            var ppm = Array("P6\n\(image.width) \(image.height)\n255\n".utf8)
            ppm += image.pixels
            outcome = try process.run(input: SealedFile(ppm))
        } catch {
            throw .decoderFailed(error.message)
        }
        guard outcome.ending == .exited(0), !outcome.output.isEmpty else {
            throw .decoderFailed(
                "cjpeg: expected a file of \(image.width) × \(image.height) pixels, got "
                    + "\(outcome.ending): \(outcome.errorText.prefix(200))"
            )
        }
        return outcome.output
    }
}
