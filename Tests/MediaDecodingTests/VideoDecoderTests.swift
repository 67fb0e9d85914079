import Testing
import VisionPreprocessing

@testable import MediaDecoding

/// What breaks silently: a frame beside the one asked for, chroma up-sampled another way, a rotation left out.
@Suite(
    "Decoded frames equal the reference's",
    .enabled(if: VideoGoldens.isAvailable, Comment(rawValue: VideoGoldens.excuse))
)
struct VideoDecoderTests {
    private let decoder = VideoDecoder(limits: MediaLimits())

    @Test("in each container and codec, whichever are chosen", arguments: VideoGoldens.clips)
    func equalsReference(name: String, answer: VideoGoldens.Answer) throws {
        let bytes = try VideoGoldens.bytes(name)
        for sampler in [
            FrameSampler(count: min(answer.frames.count, 8)),
            FrameSampler(rule: .segments, count: 3), FrameSampler(rule: .fps),
        ] {
            let selection = sampler.selection(
                frameCount: answer.frames.count,
                framesPerSecond: answer.rate
            )
            let frames = try decoder.decode(bytes, sampler)
            #expect(selection == .frames(frames.indices), "\(sampler)")
            #expect(frames.videoFramesPerSecond == answer.rate)
            for (image, index) in zip(frames.images, frames.indices) {
                #expect([image.width, image.height] == [answer.width, answer.height])
                #expect(
                    DecodingGoldens.crc32(image.pixels) == answer.frames[index],
                    "frame \(index)"
                )
            }
        }
    }

    @Test("as many as there may be, each in its place", arguments: [33, 140, 768])
    func many(count: Int) throws {
        let bytes = Self.greys(800)
        let frames = try decoder.decode(bytes, FrameSampler(rule: .segments, count: count))
        #expect(frames.indices == (0..<count).map { $0 * 800 / count })
        for (image, index) in zip(frames.images, frames.indices) {
            let level = UInt8(truncatingIfNeeded: index)
            #expect(image == .filled(width: 2, height: 2, colour: [level, level, level]))
        }
    }

    /// A GIF of so many pictures, each of one grey: the next one's is a level brighter.
    private static func greys(_ count: Int) -> [UInt8] {
        var bytes = Array("GIF89a".utf8) + [2, 0, 2, 0, 0xF7, 0, 0]
        for level in 0..<256 as Range<Int> { bytes += Array(repeating: UInt8(level), count: 3) }
        for index in 0..<count {
            bytes += [0x21, 0xF9, 4, 4, 10, 0, 0, 0, 0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 8]
            // Codes of nine bits: clear, four pixels, end.
            var data: [UInt8] = []
            var (buffer, length) = (0, 0)
            for code in [256] + Array(repeating: index % 256, count: 4) + [257] {
                buffer |= code << length
                length += 9
                while length >= 8 {
                    data.append(UInt8(truncatingIfNeeded: buffer))
                    buffer >>= 8
                    length -= 8
                }
            }
            if length > 0 { data.append(UInt8(truncatingIfNeeded: buffer)) }
            bytes += [UInt8(data.count)] + data + [0]
        }
        return bytes + [0x3B]
    }

    @Test("with the second of each, and how many are shown in one")
    func timing() throws {
        let bytes = try VideoGoldens.bytes("h264.mp4")
        let timing = try decoder.decode(bytes, FrameSampler(rule: .segments, count: 4)).timing
        #expect(timing?.framesPerSecond == 2 && timing?.times == [0, 0.5, 1, 1.5])
    }

    @Test("and the goldens cover containers, codecs and what goes wrong with them")
    func covers() {
        #expect(VideoGoldens.names.count == 24)
        #expect(Set(VideoGoldens.names.map { $0.split(separator: ".").last }).count == 4)
    }

    @Test("a video that any container or codec cut short is refused, at every length")
    func truncated() throws {
        for name in ["h264.mp4", "faststart.mp4", "mpeg4.mov", "vp9.webm", "animated.gif"] {
            let bytes = try VideoGoldens.bytes(name)
            for length in stride(from: 12, to: bytes.count - 8, by: bytes.count / 6) {
                let error = #expect(throws: MediaError.self, "\(name), \(length) bytes") {
                    try decoder.decode(Array(bytes[..<length]), FrameSampler(count: 2))
                }
                #expect(error?.code == "media_unreadable", "\(name), \(length) bytes")
                #expect(error?.message.hasSuffix(".") == true)
            }
        }
    }

    @Test("an index in front does not hide that the file ends after a frame")
    func endsAfterFrame() throws {
        let bytes = try VideoGoldens.bytes("faststart.mp4")
        // Wherever the file ends, its last box is not whole.
        for length in [bytes.count - 1, bytes.count * 3 / 4, bytes.count / 2] {
            let error = #expect(throws: MediaError.self) {
                try decoder.decode(Array(bytes[..<length]), FrameSampler(count: 2))
            }
            #expect(
                error?.message
                    == "video: expected \(bytes.count - length) more bytes, got the end of the file. "
                    + "It is truncated."
            )
        }
    }

    @Test("fewer frames than are shown refuse the video; none is shown twice")
    func tooShort() throws {
        let bytes = try VideoGoldens.bytes("vp9_gbr.webm")
        #expect(try decoder.decode(bytes, FrameSampler(count: 5)).indices == [0, 1, 2, 3, 4])
        let error = #expect(throws: MediaError.self) {
            try decoder.decode(bytes, FrameSampler())
        }
        #expect(
            error?.description
                == "media_too_short: video: expected at least 8 frames, got 5. Ask for fewer with the "
                + "option frames."
        )
        let one = try VideoGoldens.made(["-i", "testsrc=d=1:r=1:s=64x48"], as: "mp4")
        #expect(throws: MediaError.self) { try decoder.decode(one, FrameSampler(rule: .fps)) }
    }

    @Test("sound alone, a foreign codec and a size that changes midway are named")
    func named() throws {
        let sound = try VideoGoldens.made(["-i", "sine=d=1", "-c:a", "aac"], as: "mp4")
        let both = try VideoGoldens.made(
            ["-i", "sine=d=1", "-f", "lavfi", "-i", "testsrc=d=1:r=8:s=64x48", "-c:a", "adpcm_ms"],
            as: "mov"
        )
        let foreign = try VideoGoldens.made(
            ["-i", "testsrc=d=1:r=8:s=64x48", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
            as: "mov"
        )
        for (bytes, description) in [
            (
                sound,
                "media_unreadable: video: expected a stream of pictures, got none. Name "
                    + "another file."
            ),
            (
                foreign,
                "media_unsupported: video: expected a stream of h264, hevc, mpeg4, vp8, vp9, av1, gif, "
                    + "got mjpeg. Encode it again."
            ),
            (
                both,
                "media_unsupported: video: expected a stream of h264, hevc, mpeg4, vp8, vp9, av1, gif, "
                    + "got adpcm_ms. Encode it again."
            ),
            (
                try VideoGoldens.bytes("refused/changing.webm"),
                "media_unsupported: video: expected frames of one size and pixel format, got some that "
                    + "change midway. Encode it again."
            ),
        ] {
            let error = #expect(throws: MediaError.self) {
                try decoder.decode(bytes, FrameSampler())
            }
            #expect(error?.description == description)
        }
    }

    @Test("what is no video is named by what it is")
    func noVideo() throws {
        for (bytes, description) in [
            (try DecodingGoldens.bytes("decoding/rgb8.png"), "media_unsupported: got a PNG image."),
            (Array("#EXTM3U\n/etc/passwd\n".utf8), "media_unreadable: got text."),
            ([], "media_unreadable: got an empty file. Name another file."),
            (try DecodingGoldens.bytes("decoding/palette64.gif"), "media_too_short: got 1."),
        ] {
            let error = #expect(throws: MediaError.self) {
                try decoder.decode(bytes, FrameSampler())
            }
            let parts = description.split(separator: ": ")
            #expect(error?.code == String(parts[0]))
            #expect(error?.message.contains(parts[1]) == true, "\(error?.message ?? "")")
        }
    }

    @Test("limits of a frame, of all frames and of the file hold before anything is decoded")
    func limits() throws {
        let bytes = try VideoGoldens.bytes("h264.mp4")
        var limits = MediaLimits()
        limits.maximumFramePixels = 128 * 64
        limits.maximumClipBytes = 8 * 128 * 64 * 3
        #expect(try VideoDecoder(limits: limits).decode(bytes, FrameSampler()).images.count == 8)
        limits.maximumClipBytes -= 1
        try expectTooLarge(bytes, limits, "expected at most 196607 bytes of decoded frames")
        limits.maximumFramePixels -= 1
        try expectTooLarge(bytes, limits, "Resize it")
        limits.maximumFileBytes = 100
        try expectTooLarge(bytes, limits, "expected at most 100 bytes, got \(bytes.count)")
        // Pixels of pictures bound those of frames.
        try expectTooLarge(bytes, MediaLimits(maximumPixels: 1000), "Resize it")
    }

    private func expectTooLarge(
        _ bytes: [UInt8],
        _ limits: MediaLimits,
        _ sentence: String
    ) throws {
        let error = #expect(throws: MediaError.self) {
            try VideoDecoder(limits: limits).decode(bytes, FrameSampler())
        }
        #expect(error?.code == "media_too_large")
        #expect(error?.message.contains(sentence) == true, "\(error?.message ?? "")")
    }

    @Test("a decoder over its processor time is ended, and the video is too large")
    func slow() throws {
        var limits = MediaLimits()
        limits.maximumVideoSeconds = 1
        let bytes = try VideoGoldens.made(
            ["-i", "color=gray:d=60:r=60:s=1920x1080", "-c:v", "mpeg4", "-q:v", "2"],
            as: "mp4"
        )
        try expectTooLarge(bytes, limits, "did not end within 1 s")
    }

    @Test("a missing program is named with its package")
    func missing() throws {
        #expect(
            VideoDecoder.missingPrograms(in: ["/nonexistent"]) == [
                "ffprobe (package ffmpeg)", "ffmpeg (package ffmpeg)",
            ]
        )
        let decoder = VideoDecoder(limits: MediaLimits(), directories: ["/nonexistent"])
        let bytes = try VideoGoldens.bytes("h264.mp4")
        let error = #expect(throws: MediaError.self) { try decoder.decode(bytes, FrameSampler()) }
        #expect(error?.code == "decoder_missing")
        #expect(error?.message == "ffprobe is not installed. Install the package ffmpeg.")
    }
}
