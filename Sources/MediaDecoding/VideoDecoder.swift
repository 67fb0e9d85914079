import ChildProcesses
package import VisionPreprocessing

/// Reads the frames of a video that a model is shown, by ffprobe and ffmpeg, each once and in a process of its
/// own with limits. The pixels are those of decord's `get_batch`.
///
/// Whatever may make a frame another than the one asked for refuses the video by name: damage anywhere that
/// is read, a missing end, a size that changes midway. No frame is ever made up or shown twice. A value is cheap
/// and safe to use from many threads; `decode` blocks for as long as the programs run.
package struct VideoDecoder: Sendable {
    /// What a video came to.
    package struct Frames: Sendable {
        /// In the order of time, all of one size.
        package let images: [RGBImage]
        /// The place of each in the video, from 0.
        package let indices: [Int]
        /// How many frames the video has.
        package let frameCount: Int
        /// The video's rate on average; nil when the container does not say.
        package let videoFramesPerSecond: Double?

        /// Frames shown for each second, and the second of each, by the video's average rate as
        /// `qwen_vl_utils` counts; nil when there is none, or one that no film has.
        package var timing: (framesPerSecond: Double, times: [Double])? {
            guard let rate = videoFramesPerSecond else { return nil }
            let shown = Double(indices.count) / Double(frameCount) * rate
            let times = indices.map { Double($0) / rate }
            guard (0.01...1000).contains(shown), times.allSatisfy({ $0 <= 1_000_000 }) else {
                return nil
            }
            return (shown, times)
        }
    }

    private let limits: MediaLimits
    private let programs: InstalledPrograms

    /// Finds the programs in the system's directories, now.
    package init(limits: MediaLimits) {
        self.init(limits: limits, directories: InstalledPrograms.directories)
    }

    init(limits: MediaLimits, directories: [String]) {
        self.limits = limits
        programs = InstalledPrograms([VideoCommand.probe, VideoCommand.decode], in: directories)
    }

    /// Those of the programs that are not installed, each with the Debian package that has it.
    package static func missingPrograms() -> [String] {
        missingPrograms(in: InstalledPrograms.directories)
    }

    static func missingPrograms(in directories: [String]) -> [String] {
        InstalledPrograms.missing(
            [VideoCommand.probe, VideoCommand.decode].map { ($0, VideoCommand.package) },
            in: directories
        )
    }

    /// The frames that the sampler chooses of a video, given the whole file.
    package func decode(_ bytes: [UInt8], _ sampler: FrameSampler) throws(MediaError) -> Frames {
        try limits.check(fileBytes: bytes.count, subject: "video")
        let container = try container(of: bytes)
        let file: SealedFile
        do {
            file = try SealedFile(bytes)
        } catch {
            throw .decoderFailed(error.message)
        }
        let probe = try probe(file, container: container)
        let indices = try indices(in: probe, sampler)
        try limits.check(frameWidth: probe.width, height: probe.height, count: indices.count)
        let images = try frames(indices, of: file, container: container, probe: probe)
        return Frames(
            images: images,
            indices: indices,
            frameCount: probe.frameCount,
            videoFramesPerSecond: probe.framesPerSecond
        )
    }

    // MARK: - Before anything runs

    /// ffmpeg's name of the container. Refuses other files, and those that lack their end.
    private func container(of bytes: [UInt8]) throws(MediaError) -> String {
        switch MediaFormat(of: bytes) {
        case .mov:
            let missing = BoxWalk.missingBytes(bytes)
            guard missing == 0 else {
                throw .unreadable(
                    "video: expected \(missing) more bytes, got the end of the file. It is truncated."
                )
            }
            return "mov"
        case .matroska:
            return "matroska"
        case .gif:
            guard try GIFBlocks(bytes).isWhole else {
                throw .unreadable(
                    "GIF: expected blocks up to its end mark, got the end of the file or damage. It "
                        + "is truncated."
                )
            }
            return "gif"
        case .unknown(let impression):
            throw .unreadable(
                "video: \(Self.expectation), got \(impression). Name another file."
            )
        case let format:
            throw .unsupported(
                "video: \(Self.expectation), got \(format.name). Convert it first, or list its "
                    + "frames as pictures."
            )
        }
    }

    private static let expectation = "expected an MP4, QuickTime, WebM, Matroska or GIF video"

    // MARK: - ffprobe

    private func probe(_ file: SealedFile, container: String) throws(MediaError) -> VideoProbe {
        // A line of 16 bytes for each frame: some 250 000 frames.
        let outputBytes = 4 << 20
        let outcome = try run(
            VideoCommand.probe,
            VideoCommand.probeArguments(container: container, limits: limits),
            file,
            outputBytes: outputBytes
        )
        if outcome.ending == .outputLimit {
            throw .tooLarge("video: expected at most some 250000 frames, got more. Cut it.")
        }
        let messages = FFmpegMessages(outcome.errorText)
        let probe = VideoProbe(outcome.output)
        let foreign = probe.map { VideoCommand.codecs.contains($0.codec) ? [] : [$0.codec] }
        let codecs = foreign ?? messages.unlistedCodecs
        guard codecs.isEmpty else {
            throw .unsupported(
                "video: expected a stream of \(VideoCommand.codecs.joined(separator: ", ")), got "
                    + "\(codecs.joined(separator: ", ")). Encode it again."
            )
        }
        try check(outcome, messages, program: VideoCommand.probe)
        guard let probe, probe.packetCount > 0 else {
            throw .unreadable(
                "video: expected a stream of pictures, got "
                    + (probe == nil ? "none" : "one without a picture") + ". Name another file."
            )
        }
        guard probe.rotation % 90 == 0 else {
            throw .unsupported(
                "video: expected a rotation by a multiple of 90°, got \(probe.rotation)°. Encode it "
                    + "again."
            )
        }
        return probe
    }

    private func indices(
        in probe: VideoProbe,
        _ sampler: FrameSampler
    ) throws(MediaError) -> [Int] {
        let selection = sampler.selection(
            frameCount: probe.frameCount,
            framesPerSecond: probe.framesPerSecond
        )
        switch selection {
        case .frames(let indices): return indices
        case .tooFew(let least):
            throw .tooShort(
                "video: expected at least \(least) frames, got \(probe.frameCount). Ask for fewer "
                    + "with the option frames."
            )
        case .unknownRate:
            throw .unreadable(
                "video: expected its frames a second for the sampling \"\(sampler.rule.rawValue)\", "
                    + "got none. Choose another sampling."
            )
        }
    }

    // MARK: - ffmpeg

    private func frames(
        _ indices: [Int],
        of file: SealedFile,
        container: String,
        probe: VideoProbe
    ) throws(MediaError) -> [RGBImage] {
        let headerBytes = 64
        let outcome = try run(
            VideoCommand.decode,
            VideoCommand.decodeArguments(container: container, indices: indices, limits: limits),
            file,
            outputBytes: indices.count * (probe.width * probe.height * 3 + headerBytes)
        )
        let messages = FFmpegMessages(outcome.errorText)
        if messages.changesMidway {
            throw .unsupported(
                "video: expected frames of one size and pixel format, got some that change midway. "
                    + "Encode it again."
            )
        }
        if outcome.ending == .outputLimit {
            throw .unreadable(
                "video: ffmpeg wrote more pixels than ffprobe announced. It is damaged."
            )
        }
        try check(outcome, messages, program: VideoCommand.decode)
        let images = try PNMReader.sequence(outcome.output)
        guard images.count == indices.count else {
            throw .unreadable(
                "video: expected \(indices.count) frames out of \(probe.frameCount), got "
                    + "\(images.count). It is truncated or damaged."
            )
        }
        let sides = [probe.width, probe.height]
        guard let first = images.first,
            [first.width, first.height] == sides || [first.height, first.width] == sides,
            images.allSatisfy({ $0.width == first.width && $0.height == first.height })
        else {
            throw .unreadable(
                "video: expected frames of \(probe.width) × \(probe.height) pixels as its header "
                    + "says, got others."
            )
        }
        return images
    }

    // MARK: - Both

    private func run(
        _ program: String,
        _ arguments: [String],
        _ file: SealedFile,
        outputBytes: Int
    ) throws(MediaError) -> ProcessOutcome {
        var processLimits = ProcessLimits()
        processLimits.memoryBytes = limits.maximumVideoMemoryBytes
        processLimits.processorSeconds = limits.maximumVideoSeconds
        // Beside a busy engine a process gets a part of a processor.
        processLimits.milliseconds = limits.maximumVideoSeconds * 3000
        processLimits.outputBytes = outputBytes
        processLimits.errorBytes = Self.errorBytes
        let process = LimitedProcess(
            path: try programs.path(of: program, package: VideoCommand.package),
            arguments: arguments,
            limits: processLimits
        )
        do {
            return try process.run(input: file)
        } catch {
            throw .decoderFailed(error.message)
        }
    }

    private static let errorBytes = 1 << 16

    /// Refuses what the program could not read, or complained of.
    private func check(
        _ outcome: ProcessOutcome,
        _ messages: FFmpegMessages,
        program: String
    ) throws(MediaError) {
        if messages.isOverPixels {
            throw .tooLarge("video: \(program) says: \(messages.summary). Resize it.")
        }
        if messages.isOutOfMemory {
            throw .tooLarge(
                "video: \(program) needs more than \(limits.maximumVideoMemoryBytes) bytes of "
                    + "memory. Resize it."
            )
        }
        switch outcome.ending {
        case .exited(0): break
        case .exited(let status):
            throw .unreadable(
                "video: \(program) ended with \(status): \(messages.summary). It is truncated or "
                    + "damaged."
            )
        case .timedOut, .signalled(24), .signalled(9):
            // SIGXCPU, and SIGKILL a second later.
            throw .tooLarge(
                "video: \(program) did not end within \(limits.maximumVideoSeconds) s of processor "
                    + "time. Cut it or resize it."
            )
        case .signalled(let signal):
            throw .unreadable(
                "video: \(program) was ended by signal \(signal): \(messages.summary). It is damaged."
            )
        case .cancelled:
            throw .decoderFailed("\(program) was stopped with the task that needed it.")
        case .outputLimit:
            throw .unreadable("video: \(program) wrote more than expected. It is damaged.")
        }
        guard messages.faults.isEmpty else {
            throw .unreadable(
                "video: \(program) says: \(messages.summary). It is truncated or damaged."
            )
        }
        guard outcome.errorText.utf8.count < Self.errorBytes else {
            throw .unreadable("video: \(program) says more than can be read. It is damaged.")
        }
    }
}
