import FoundationEssentials
import Testing
import VisionPreprocessing

@testable import MediaDecoding

@Suite(
    "Hostile videos end in frames or a named refusal",
    .enabled(if: VideoGoldens.isAvailable, Comment(rawValue: VideoGoldens.excuse))
)
struct HostileVideoTests {
    private let decoder = VideoDecoder(limits: MediaLimits())
    private let codes: Set = [
        "media_unreadable", "media_too_large", "media_too_short", "media_unsupported",
    ]

    /// Those whose frames are whole: what lies is a field that no decoder needs.
    private let readable: Set = [
        "avc1_dims0.mp4", "avc1_dims65535.mp4", "stts_count_max.mp4", "unknown_codec.mp4",
        "video_16x16_huge_duration.mp4",
    ]

    @Test("each file is read or refused in bounded time", arguments: VideoGoldens.hostile)
    func corpus(name: String) throws {
        let bytes = try VideoGoldens.bytes("hostile/\(name)")
        let start = ContinuousClock.now
        do throws(MediaError) {
            let frames = try decoder.decode(bytes, FrameSampler(count: 4))
            #expect(frames.images.count == 4)
            #expect(readable.contains(name))
        } catch {
            #expect(codes.contains(error.code), "\(error)")
            #expect(!readable.contains(name), "\(error)")
            #expect(error.message.hasSuffix("."), "\(error)")
        }
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("a playlist never opens the file it names, whatever it is called")
    func playlists() throws {
        let secret = "/tmp/rewardd-secret-\(UInt64.random(in: 0...UInt64.max)).mp4"
        try Data(VideoGoldens.bytes("h264.mp4")).write(to: URL(filePath: secret))
        defer { try? FileManager.default.removeItem(atPath: secret) }
        let box: [UInt8] = [0, 0, 0, 24] + Array("ftypisom".utf8) + [0, 0, 2, 0]
        for playlist in [
            "ffconcat version 1.0\nfile '\(secret)'\n", "file '\(secret)'\n",
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n\(secret)\n#EXT-X-ENDLIST\n",
            "#EXTM3U\n#EXTINF:2,\nfile://\(secret)\n", "[Reference]\nRef1=file://\(secret)\n",
        ] {
            // As it is, and behind the first box of an MP4.
            let text = Array(playlist.utf8)
            for bytes in [text, box + Array("isomiso2".utf8) + text] {
                let error = #expect(throws: MediaError.self) {
                    try decoder.decode(bytes, FrameSampler(count: 2))
                }
                #expect(error?.code == "media_unreadable")
            }
        }
    }

    @Test("damaged clips end in whole frames or a named refusal, and no child is left")
    func damaged() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = MutationSource(seed: seed)
        for name in ["h264.mp4", "hevc.mp4", "mpeg4.mov", "vp8.webm", "vp9.webm", "animated.gif"] {
            let whole = try VideoGoldens.bytes(name)
            for _ in 0..<5 {
                let bytes = random.damaged(whole)
                do throws(MediaError) {
                    let frames = try decoder.decode(bytes, FrameSampler(count: 3))
                    #expect(frames.images.count == 3, "seed \(seed), \(name)")
                    #expect(Set(frames.images.map(\.width)).count == 1, "seed \(seed), \(name)")
                } catch {
                    #expect(codes.contains(error.code), "seed \(seed), \(name): \(error)")
                    #expect(error.message.hasSuffix("."), "seed \(seed), \(name): \(error)")
                }
            }
        }
        #expect(try programsOfThisProcess() == [])
    }

    @Test("damaged headers are refused or read, never crash, before any program runs")
    func damagedHeaders() throws {
        let seed = UInt64.random(in: 1...UInt64.max)
        var random = MutationSource(seed: seed)
        let decoder = VideoDecoder(limits: MediaLimits(), directories: [])
        for name in VideoGoldens.names {
            let head = Array(try VideoGoldens.bytes(name).prefix(900))
            for _ in 0..<200 {
                let bytes = random.damaged(
                    Array(head.prefix(Int.random(in: 1...900, using: &random)))
                )
                let error = #expect(throws: MediaError.self, "seed \(seed), \(name)") {
                    try decoder.decode(bytes, FrameSampler())
                }
                #expect(error?.message.isEmpty == false, "seed \(seed), \(name)")
            }
        }
    }

    /// Decoders of video that are children of this process. Other suites start decoders of pictures.
    private func programsOfThisProcess() throws -> [String] {
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil,
                let data = try? Data(contentsOf: URL(filePath: "/proc/\(name)/stat"))
            else { return false }
            // pid (program) state parent …
            let fields = String(decoding: data, as: UTF8.self).split(separator: " ")
            return fields.count > 3 && fields[3] == own && fields[2] == "Z"
                && fields[1].hasPrefix("(ff")
        }
    }
}
