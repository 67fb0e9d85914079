import ChildProcesses
import Glibc
package import VisionPreprocessing

/// Decodes a JPEG, PNG, WebP, GIF (the first picture) or BMP with the operating system's own programs, each
/// in a process of its own with limits, and reads a binary PPM, which is plain pixels, itself; the pixels are
/// those of Pillow's `Image.open(f).convert("RGB")`.
///
/// No orientation from EXIF, no gamma, no colour profile is applied, and alpha is dropped, as there.
/// A value is cheap and safe to use from many threads; `decode` blocks for as long as the program
/// runs, at most `limits.maximumSeconds`.
package struct ImageDecoder: Sendable {
    package let limits: MediaLimits
    private let programs: InstalledPrograms

    /// Finds the programs in the system's directories, now.
    package init(limits: MediaLimits) {
        self.init(limits: limits, directories: InstalledPrograms.directories)
    }

    init(limits: MediaLimits, directories: [String]) {
        self.limits = limits
        programs = InstalledPrograms(DecodeCommand.all.map(\.program), in: directories)
    }

    /// The programs that are not installed, each with the Debian package that has it, such as
    /// "djpeg (package libjpeg-turbo-progs)".
    package static func missingPrograms() -> [String] {
        missingPrograms(in: InstalledPrograms.directories)
    }

    static func missingPrograms(in directories: [String]) -> [String] {
        InstalledPrograms.missing(
            DecodeCommand.all.map { ($0.program, $0.package) },
            in: directories
        )
    }

    /// Whether decoders run behind a system-call filter on this system. The limits hold in any case.
    package static var isSystemCallFilterAvailable: Bool { LimitedProcess.isFilterAvailable }

    /// The picture in `bytes`, a whole file.
    ///
    /// Size and kind are checked in the file's header before anything is started.
    package func decode(_ bytes: [UInt8]) throws(MediaError) -> RGBImage {
        try limits.check(fileBytes: bytes.count, subject: "image")
        let command: DecodeCommand
        let header: ImageHeader
        var input = bytes
        switch MediaFormat(of: bytes) {
        case .jpeg:
            command = .jpeg
            header = try ImageHeader(jpeg: bytes)
        case .png:
            command = .png
            header = try ImageHeader(png: bytes)
            input = PNGChunks.pixelsOnly(bytes)
        case .webp:
            command = .webp
            header = try ImageHeader(webp: bytes)
        case .gif:
            command = .gif
            let blocks = try GIFBlocks(bytes)
            header = try stillHeader(of: blocks)
            input = blocks.firstPictureOnly(of: bytes)
        case .bmp:
            command = .bmp
            header = try ImageHeader(bmp: bytes)
        case .ppm:
            return try plainPixels(bytes)
        case .mov, .matroska, .unsupported:
            throw .unsupported(
                "image: \(Self.expectation), got \(MediaFormat(of: bytes).name). Convert it first."
            )
        case .unknown(let impression):
            throw .unreadable(
                "image: \(Self.expectation), got \(impression). Name another file."
            )
        }
        try limits.check(width: header.width, height: header.height)
        let output = try run(command, input: input, header: header)
        return try PNMReader.read(
            output,
            width: header.width,
            height: header.height,
            wideSamples: command == .png && header.isGray ? .clipped : .highByte
        )
    }

    private static let expectation = "expected a JPEG, PNG, WebP, GIF, BMP or binary PPM image"

    /// Pillow shows the canvas, giftopnm the picture: they agree where one covers the other.
    private func stillHeader(of blocks: GIFBlocks) throws(MediaError) -> ImageHeader {
        guard blocks.firstFillsCanvas || blocks.width * blocks.height == 0 else {
            throw .unsupported(
                "GIF: expected a first picture that fills its canvas of \(blocks.width) × "
                    + "\(blocks.height) pixels, got another. Convert it to PNG."
            )
        }
        return ImageHeader(width: blocks.width, height: blocks.height)
    }

    /// A binary PPM: no program could do more than copy it, and starting one takes some 10 ms, which a
    /// training on ten thousands of rendered pictures would feel.
    private func plainPixels(_ bytes: [UInt8]) throws(MediaError) -> RGBImage {
        guard let (width, height) = PNMReader.size(of: bytes) else {
            throw .unreadable("image: expected a PPM header with its size, got another.")
        }
        try limits.check(width: width, height: height)
        return try PNMReader.read(bytes, width: width, height: height, wideSamples: .highByte)
    }

    /// The program's output, when it ended well and did not complain of missing data.
    private func run(
        _ command: DecodeCommand,
        input: [UInt8],
        header: ImageHeader
    ) throws(MediaError) -> [UInt8] {
        let path = try programs.path(of: command.program, package: command.package)
        var processLimits = ProcessLimits()
        processLimits.memoryBytes = limits.maximumMemoryBytes
        processLimits.processorSeconds = limits.maximumSeconds
        processLimits.milliseconds = limits.maximumSeconds * 1000
        // The largest picture of the announced size, and a PNM header with room to spare.
        processLimits.outputBytes =
            header.width * header.height * 3 * (header.bitDepth > 8 ? 2 : 1) + 128

        let process = LimitedProcess(
            path: path,
            arguments: command.arguments,
            limits: processLimits
        )
        let outcome: ProcessOutcome
        do {
            outcome = try process.run(input: SealedFile(input))
        } catch {
            throw .decoderFailed(error.message)
        }
        try check(outcome, of: command)
        if command == .jpeg, outcome.ending != .exited(0) {
            try checkEnd(of: input, from: header.pictureOffset)
        }
        return outcome.output
    }

    private func check(_ outcome: ProcessOutcome, of command: DecodeCommand) throws(MediaError) {
        let program = command.program
        let said = Self.summary(outcome.errorText, program: program)
        switch outcome.ending {
        case .exited(0):
            break
        case .exited(command.warningStatus):
            // djpeg fills what is missing with gray; Pillow refuses such a file, and takes those
            // with other warnings, to the same pixels.
            guard !outcome.errorText.contains("Premature end of JPEG file") else {
                throw .unreadable("image: \(program) says: \(said). It is truncated.")
            }
        case .exited(let status):
            if Self.isAboutMemory(outcome.errorText) {
                throw .tooLarge(
                    "image: \(program) needs more than \(limits.maximumMemoryBytes) bytes of "
                        + "memory: \(said). Resize it."
                )
            }
            throw .unreadable(
                "image: \(program) ended with \(status): \(said). It is truncated or damaged."
            )
        case .signalled(let signal):
            throw .unreadable(
                "image: \(program) was ended by signal \(signal): \(said). It is truncated or damaged."
            )
        case .cancelled:
            throw .decoderFailed("\(program) was stopped with the task that needed it.")
        case .timedOut:
            throw .unreadable(
                "image: \(program) did not end within \(limits.maximumSeconds) s. It is damaged."
            )
        case .outputLimit:
            throw .unreadable(
                "image: \(program) wrote more pixels than the header announces. It is damaged."
            )
        }
    }

    /// Refuses a damaged JPEG without an end mark: djpeg names its first complaint only, which
    /// may hide that it is truncated as well.
    private func checkEnd(of bytes: [UInt8], from start: Int) throws(MediaError) {
        var position = bytes.count - 1
        while position > start {
            if bytes[position] == 0xD9, bytes[position - 1] == 0xFF { return }
            position -= 1
        }
        throw .unreadable("JPEG: expected an end mark (EOI), got none. It is truncated.")
    }

    /// What a program said, fit for a message: printable, on one line, not long.
    private static func summary(_ text: String, program: String) -> String {
        let prefix = program + ": "
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.hasPrefix(prefix) ? $0.dropFirst(prefix.count) : $0 }
            .filter { line in !line.contains("setjmp") && line.contains { $0 != " " } }
            .prefix(2)
        guard !lines.isEmpty else { return "nothing on standard error" }
        let joined = lines.joined(separator: "; ").prefix(200)
        var said = String(joined.map { $0.isASCII && $0 >= " " ? $0 : "?" })
        while said.hasSuffix(".") || said.hasSuffix(" ") { said.removeLast() }
        return said
    }

    private static func isAboutMemory(_ text: String) -> Bool {
        let text = text.lowercased()
        return ["memory", "allocat", "temporary file"].contains { text.contains($0) }
    }
}
