import Foundation
import Hashing
import Inference
import MediaDecoding
import RewardModeling
import TestSupport
import Testing
import VisionPreprocessing

@testable import RewardDaemon

@Suite("The daemon's media")
struct MediaLibraryTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Goldens/video").path
    private static let hasVideo = VideoDecoder.missingPrograms().isEmpty

    private func library(stored: [UInt8]? = nil, threads: Int = 4) -> MediaLibrary {
        MediaLibrary(
            roots: MediaRoots([Self.folder]),
            limits: MediaLimits(),
            threadCount: threads,
            storedMedia: { _ in stored }
        )
    }

    @Test(
        "a video's clip is named by its file and the places of its frames, whatever chose them",
        .enabled(if: hasVideo, "ffmpeg is not installed and could not be: deploy/install-packages")
    )
    func digests() async throws {
        let library = library()
        let h264 = MediaReference.path("\(Self.folder)/h264.mp4")
        let eight = try await library.video(h264, FrameSampler())
        #expect(eight.frames.count == 8)
        #expect(try await library.video(h264, FrameSampler()).digest == eight.digest)
        // Other frames of the same file; the first is the first of both.
        let segments = try await library.video(h264, FrameSampler(rule: .segments))
        #expect(segments.digest != eight.digest)
        #expect(segments.frames[0].digest == eight.frames[0].digest)
        // All twenty frames, whichever rule asks for them.
        let all = try await library.video(h264, FrameSampler(count: 20))
        let same = try await library.video(h264, FrameSampler(rule: .segments, count: 20))
        #expect(all.digest == same.digest && all.digest != eight.digest)
        // The same pictures in another file are another clip.
        let copy = try await library.video(.path("\(Self.folder)/faststart.mp4"), FrameSampler())
        #expect(copy.frames.map(\.image) == eight.frames.map(\.image))
        #expect(copy.digest != eight.digest)
    }

    @Test(
        "an uploaded video is read like a file, many at once",
        .enabled(if: hasVideo, "ffmpeg is not installed and could not be: deploy/install-packages")
    )
    func stored() async throws {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(Self.folder)/vp9.webm")))
        let digest = SHA256.digest(bytes)
        let library = library(stored: bytes)
        let expected = try await library.video(
            .path("\(Self.folder)/vp9.webm"),
            FrameSampler(count: 4)
        ).digest
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    try await library.video(.stored(digest), FrameSampler(count: 4)).digest
                }
            }
            return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(digests == [expected])
    }

    @Test("a prepared picture has other pixels, and a name that tells how it was prepared")
    func prepared() async throws {
        let pictures = URL(filePath: Self.folder).deletingLastPathComponent().path
        let library = MediaLibrary(
            roots: MediaRoots([pictures]),
            limits: MediaLimits(),
            threadCount: 2,
            storedMedia: { _ in nil }
        )
        let file = MediaReference.path("\(pictures)/decoding/rgb8.png")
        let plain = try await library.image(file)
        #expect(try await library.image(file, .none).digest == plain.digest)
        var seen: Set<Digest> = [plain.digest]
        for steps in [
            [.jpeg(quality: 95)], [.jpeg(quality: 95), .jpeg(quality: 95)], [.jpeg(quality: 94)],
            [.resize(width: 512, height: 512)], [.fit],
        ] as [[PicturePreparation.Step]] {
            let preparation = PicturePreparation(steps)
            let image = try await library.image(file, preparation)
            #expect(seen.insert(image.digest).inserted, "\(steps)")
            #expect(image.image != plain.image || steps.count == 2)
            #expect(try await library.image(file, preparation).image == image.image)
        }
    }

    @Test(
        "frames of a video are prepared one by one, and named by that too",
        .enabled(if: hasVideo, "ffmpeg is not installed and could not be: deploy/install-packages")
    )
    func preparedFrames() async throws {
        let library = library()
        let file = MediaReference.path("\(Self.folder)/h264.mp4")
        let recoder = JPEGRecoder(limits: MediaLimits())
        let plain = try await library.video(file, FrameSampler())
        let jpeg = PicturePreparation([.jpeg(quality: 95)])
        let shown = try await library.video(file, MediaView(preparation: jpeg))
        for (before, after) in zip(plain.frames, shown.frames) {
            #expect(try recoder.recode(before.image, quality: 95) == after.image)
            #expect(before.digest != after.digest)
        }
        #expect(shown.digest != plain.digest && shown.times == plain.times)
        #expect(shown.framesPerSecond == plain.framesPerSecond)
        // Small frames are brought to 128 cells of 28 × 28 and more.
        let fit = MediaView(preparation: PicturePreparation([.fit]))
        let fitted = try await library.video(file, fit)
        let size = try #require(
            QwenPictureSizes.frame(of: 8).size(
                width: plain.frames[0].image.width,
                height: plain.frames[0].image.height
            )
        )
        #expect(fitted.frames.allSatisfy { ($0.image.width, $0.image.height) == size })
        #expect(size.width * size.height >= 128 * 28 * 28)
        // The same view again is the same clip, from the cache or not.
        #expect(try await library.video(file, fit).digest == fitted.digest)
    }

    @Test("what cannot be had fails by name, led by the file")
    func failures() async throws {
        let short = "\(Self.folder)/vp9_gbr.webm"
        for (reference, code) in [
            (MediaReference.path("/etc/passwd"), "media_outside_roots"),
            (.path("\(Self.folder)/none.mp4"), "media_not_found"),
            (.path("\(Self.folder)/frames.json"), "media_unreadable"),
            (.stored(SHA256.digest([])), "media_not_found"),
            (.path(short), Self.hasVideo ? "media_too_short" : "decoder_missing"),
        ] {
            let failure = await #expect(throws: MediaFailure.self) {
                try await library().video(reference, FrameSampler())
            }
            #expect(failure?.code == code)
        }
        let failure = await #expect(throws: MediaFailure.self) {
            try await library().video(.path(short), FrameSampler())
        }
        #expect(failure?.message.hasPrefix("\"\(short)\": video: ") == true)
        let image = await #expect(throws: MediaFailure.self) {
            try await library().image(.path("\(Self.folder)/h264.mp4"))
        }
        #expect(image?.code == "media_unsupported")
    }

    @Test("a file is loaded where the same one is being loaded, else where the fewest wait")
    func dispatch() {
        var dispatch = MediaDispatch(threadCount: 3)
        #expect(["a", "b", "c", "b", "b"].map { dispatch.start($0) } == [0, 1, 2, 1, 1])
        #expect(["d", "e"].map { dispatch.start($0) } == [0, 2])
        for _ in 0..<3 { dispatch.finish("b") }
        #expect(dispatch.start("f") == 1)
        dispatch.finish("unknown")
        // Nobody loads b now: it goes where the fewest wait.
        #expect(dispatch.start("b") == 1)
    }

    @Test("clips are kept up to a number of bytes, those asked for last the longest")
    func cache() throws {
        func clip(_ level: UInt8, frames: Int) -> EngineClip {
            EngineClip(
                frames: (0..<frames).map { index in
                    EngineImage(
                        digest: SHA256.digest([level, UInt8(index)]),
                        image: .filled(width: 1, height: 1, colour: [level, level, level])
                    )
                }
            )
        }
        func key(_ level: UInt8) -> ClipCache.Key {
            ClipCache.Key(file: SHA256.digest([level]), view: MediaView())
        }
        var cache = ClipCache(maximumByteCount: 18)
        for level in 0..<3 as Range<UInt8> { cache.insert(clip(level, frames: 2), key(level)) }
        #expect(cache.clip(key(0))?.digest == clip(0, frames: 2).digest)
        cache.insert(clip(3, frames: 2), key(3))
        #expect(cache.clip(key(1)) == nil && cache.clip(key(0)) != nil && cache.clip(key(2)) != nil)
        // Too large for the whole cache: nothing goes for it.
        cache.insert(clip(4, frames: 7), key(4))
        #expect(cache.clip(key(4)) == nil && cache.clip(key(0)) != nil)
        cache.insert(clip(5, frames: 6), key(5))
        #expect(cache.clip(key(5)) != nil && cache.clip(key(0)) == nil && cache.clip(key(3)) == nil)
        for other in [
            MediaView(sampler: FrameSampler(count: 9)),
            MediaView(preparation: PicturePreparation([.jpeg(quality: 95)])),
        ] {
            #expect(cache.clip(ClipCache.Key(file: key(5).file, view: other)) == nil)
        }
    }
}
