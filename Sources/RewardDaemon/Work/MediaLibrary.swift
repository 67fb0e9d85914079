import Hashing
import Inference
import MediaDecoding
import RewardModeling
import Synchronization
import VisionPreprocessing

/// Turns the media references of items into decoded images and clips.
///
/// Reading and decoding block (a file, then a child process), so they run on a few threads of their
/// own; the cooperative pool only waits for them. Images are not cached here: an item asks for each of its
/// media once, and the engine keeps encoded images by digest. Clips are, for a short while: see ``ClipCache``.
final class MediaLibrary: MediaProvider {
    private let threads: [DecodingThread]
    private let dispatch: Mutex<MediaDispatch>
    private let clips: SharedClips
    private let storedMedia: @Sendable (Digest) async throws -> [UInt8]?

    /// - Parameters:
    ///   - roots: the directories under which files may be read.
    ///   - threadCount: how many images or videos are decoded at once.
    ///   - storedMedia: bytes uploaded with `rewardd.put_media`, nil when there are none.
    init(
        roots: MediaRoots,
        limits: MediaLimits,
        threadCount: Int,
        storedMedia: @escaping @Sendable (Digest) async throws -> [UInt8]?
    ) {
        threads = (0..<max(1, threadCount)).map {
            DecodingThread(name: "media-\($0)", roots: roots, limits: limits)
        }
        dispatch = Mutex(MediaDispatch(threadCount: threads.count))
        clips = SharedClips()
        self.storedMedia = storedMedia
    }

    /// The decoded image, prepared, with the digest of its file and of what was done to it.
    ///
    /// Throws `MediaFailure`, which fails the item by name; what is this machine's fault, such as a
    /// missing decoder, is thrown as it is, so that the shard is tried again; likewise the database's
    /// error for stored media.
    func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage {
        try await load(reference) { thread, source in try await thread.image(source, preparation) }
    }

    /// The frames of a video that a view has. Each is named by the file's digest, its place and its
    /// preparation, so clips of one digest have the same frames, whatever rule chose them.
    ///
    /// Throws as for an image, but a host without the programs fails the item: pictures are still judged here.
    func video(_ reference: MediaReference, _ view: MediaView) async throws -> EngineClip {
        let clips = clips
        return try await load(reference) { thread, source in
            try await thread.clip(source, view, clips)
        }
    }

    private func load<Media: Sendable>(
        _ reference: MediaReference,
        _ decode: (DecodingThread, MediaSource) async throws -> Media
    ) async throws -> Media {
        let source: MediaSource
        switch reference {
        case .path(let path): source = .path(path)
        case .stored(let digest):
            guard let bytes = try await storedMedia(digest) else {
                throw MediaFailure(
                    code: "media_not_found",
                    message: "media \(digest.hex): expected bytes uploaded with "
                        + "rewardd.put_media, got none. Upload them again."
                )
            }
            source = .stored(bytes, digest)
        }
        let thread = dispatch.withLock { $0.start(source.name) }
        defer { dispatch.withLock { $0.finish(source.name) } }
        return try await decode(threads[thread], source)
    }
}

/// A media file that cannot be used, with the code and the sentence that its item fails with.
struct MediaFailure: CodedError, Sendable {
    let code: String
    let message: String
}
