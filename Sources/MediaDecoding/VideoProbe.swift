/// What ffprobe tells of a video: the lines of `VideoCommand.probeArguments`.
struct VideoProbe: Equatable, Sendable {
    /// Of the first stream of pictures: "h264".
    let codec: String
    /// Pixels of a frame as stored, before it is turned; 0 when ffprobe could not tell.
    let width: Int
    let height: Int
    /// Frames that a player shows: packets, less those an edit list cuts off.
    let frameCount: Int
    /// All packets, cut off or not.
    let packetCount: Int
    /// Frames a second on average, as the container says; nil when it does not.
    let framesPerSecond: Double?
    /// Degrees that frames are to be turned by.
    let rotation: Int

    /// Nil when the output tells of no stream.
    init?(_ output: [UInt8]) {
        var (packets, hidden) = (0, 0)
        var stream: Substring?
        let text = String(decoding: output, as: UTF8.self)
        for line in text.split(separator: "\n") {
            if line.hasPrefix("packet|flags=") {
                packets += 1
                if line.utf8.contains(UInt8(ascii: "D")) { hidden += 1 }
            } else if line.hasPrefix("stream|"), stream == nil {
                stream = line
            }
        }
        guard let stream else { return nil }
        var fields: [Substring: Substring] = [:]
        for field in stream.split(separator: "|") {
            let parts = field.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
        codec = fields["codec_name"].map(String.init) ?? "unknown"
        width = fields["width"].flatMap { Int($0) } ?? 0
        height = fields["height"].flatMap { Int($0) } ?? 0
        rotation = fields["rotation"].flatMap { Int($0) } ?? 0
        framesPerSecond = fields["avg_frame_rate"].flatMap(Self.rate)
        packetCount = packets
        frameCount = packets - hidden
    }

    /// "30000/1001"; nil for "0/0".
    private static func rate(_ text: Substring) -> Double? {
        let parts = text.split(separator: "/").compactMap { Double($0) }
        guard parts.count == 2, parts[0] > 0, parts[1] > 0 else { return nil }
        return parts[0] / parts[1]
    }
}
