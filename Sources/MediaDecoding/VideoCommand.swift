/// The two programs that read a video, and how they are called. No argument ever comes from the outside.
///
/// The input is always the standard input, opened again as a regular file because boxes are read out of
/// order; the container is the one its first bytes say, so that nothing is recognised by content; no other
/// protocol, container or decoder can be reached. One thread: the system-call filter refuses others.
enum VideoCommand {
    /// Debian package of both programs.
    static let package = "ffmpeg"
    static let probe = "ffprobe"
    static let decode = "ffmpeg"

    /// What streams may be coded in, as ffprobe names it.
    static let codecs = ["h264", "hevc", "mpeg4", "vp8", "vp9", "av1", "gif"]

    /// What ffprobe must open besides, or it tells nothing: it opens every stream, cover art and sound as well.
    private static let besides = [
        "mjpeg", "png", "aac", "mp3float", "mp3", "opus", "vorbis", "ac3", "eac3", "flac", "alac",
        "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le", "mov_text", "webvtt",
        "subrip", "ass",
    ]

    /// Decoders of `codecs`, by ffmpeg's names.
    private static let decoders = ["h264", "hevc", "mpeg4", "vp8", "vp9", "libdav1d", "gif"]

    /// A line for each packet of the first stream of pictures ("packet|flags=K_"), then one for the stream.
    static func probeArguments(container: String, limits: MediaLimits) -> [String] {
        common(limits, decoders: decoders + besides) + input(container) + [
            "-select_streams", "V:0",
            "-show_entries",
            "packet=flags:stream=codec_name,width,height,avg_frame_rate:stream_side_data=rotation",
            "-of", "compact",
        ]
    }

    /// The frames of these indices, each as a binary PPM.
    ///
    /// Equal to decord's `get_batch`: frames turned as the stream says, bilinear chroma (which matters for odd
    /// sizes), no frame doubled or dropped to even out the rate. When frames change their size or format
    /// midway a new filter graph would count frames from zero again; without one, ffmpeg says so.
    static func decodeArguments(
        container: String,
        indices: [Int],
        limits: MediaLimits
    ) -> [String] {
        ["-nostdin"] + common(limits, decoders: decoders) + ["-reinit_filter", "0"]
            + input(container) + [
                "-map", "0:V:0", "-an", "-sn", "-dn",
                "-filter_threads", "1", "-threads", "1",
                "-vf", "select='\(selection(of: indices))'",
                "-fps_mode", "passthrough", "-frames:v", "\(indices.count)",
                "-autoscale", "0", "-sws_flags", "bilinear", "-pix_fmt", "rgb24",
                "-c:v", "ppm", "-f", "image2pipe", "pipe:1",
            ]
    }

    /// Not zero for frames of these places. A sum of sums, since ffmpeg refuses expressions that are nested more
    /// than a hundred deep, and each `+` of a plain sum is a level.
    private static func selection(of indices: [Int]) -> String {
        let termsInSum = 32
        let sums = stride(from: 0, to: indices.count, by: termsInSum).map { start in
            indices[start..<min(start + termsInSum, indices.count)]
                .map { "eq(n,\($0))" }.joined(separator: "+")
        }
        return sums.count == 1 ? sums[0] : sums.map { "(\($0))" }.joined(separator: "+")
    }

    private static func common(_ limits: MediaLimits, decoders: [String]) -> [String] {
        [
            "-hide_banner", "-v", "level+warning", "-max_alloc", "400000000", "-threads", "1",
            "-protocol_whitelist", "file", "-format_whitelist", "mov,matroska,webm,gif",
            "-codec_whitelist", decoders.joined(separator: ","),
            "-max_pixels", "\(min(limits.maximumFramePixels, limits.maximumPixels))",
            "-max_streams", "16", "-probesize", "5000000",
        ]
    }

    private static func input(_ container: String) -> [String] {
        ["-f", container, "-i", "file:/dev/stdin"]
    }
}
