/// What ffmpeg or ffprobe said, at the level of warnings with their levels in front.
struct FFmpegMessages: Equatable, Sendable {
    /// What is wrong with the file, in the program's words, the first few.
    private(set) var faults: [String] = []
    /// Streams that no allowed decoder reads: "aac", "mjpeg".
    private(set) var unlistedCodecs: [String] = []
    /// Frames change their size or pixel format midway.
    private(set) var changesMidway = false
    /// A frame is over the limit of pixels.
    private(set) var isOverPixels = false
    /// The program had not the memory it asked for.
    private(set) var isOutOfMemory = false

    init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            guard let (level, message) = Self.parts(of: line) else { continue }
            note(message, isError: level != "warning")
        }
    }

    /// The faults as one line for a person: printable and not long.
    var summary: String {
        guard !faults.isEmpty else { return "nothing on standard error" }
        var said = String(
            faults.prefix(2).joined(separator: "; ").prefix(200)
                .map { $0.isASCII && $0 >= " " ? $0 : "?" }
        )
        while said.hasSuffix(".") || said.hasSuffix(" ") { said.removeLast() }
        return said
    }

    private mutating func note(_ message: Substring, isError: Bool) {
        if message.hasPrefix("Codec ("), message.contains("not on whitelist") {
            let codec = String(message.dropFirst("Codec (".count).prefix { $0 != ")" })
            if !unlistedCodecs.contains(codec) { unlistedCodecs.append(codec) }
            return
        }
        if message.hasPrefix("Changing video frame properties") { changesMidway = true }
        if message.contains("exceeds specified max pixel count") { isOverPixels = true }
        if message.contains("Cannot allocate memory") { isOutOfMemory = true }
        // The one warning that says data are missing; what follows it may be no error.
        guard isError || message.hasPrefix("Packet corrupt"), faults.count < 8 else { return }
        faults.append(String(message))
    }

    /// "[h264 @ 0x55…] [error] message": the level and what follows; nil for a line that goes on another.
    private static func parts(of line: Substring) -> (level: Substring, message: Substring)? {
        var rest = line
        while rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            let word = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...].drop { $0 == " " }
            if ["warning", "error", "fatal", "panic"].contains(word) { return (word, rest) }
        }
        return nil
    }
}
