import Hashing
import Inference
import MediaDecoding
import RewardModeling
import Synchronization
import Threading
import VisionPreprocessing

/// Where the bytes of a media file come from.
enum MediaSource: Sendable {
    /// A file, to be read under the roots.
    case path(String)
    /// Bytes of the database.
    case stored([UInt8], Digest)

    /// What names the file in sentences.
    var name: String {
        switch self {
        case .path(let path): "\"\(path)\""
        case .stored(_, let digest): digest.hex
        }
    }
}

/// The clips that the threads of a library share.
final class SharedClips: Sendable {
    /// A handful of clips: what items that stand close together ask about.
    private static let maximumByteCount = 64 << 20

    private let cache = Mutex(ClipCache(maximumByteCount: maximumByteCount))

    func clip(_ key: ClipCache.Key) -> EngineClip? {
        cache.withLock { $0.clip(key) }
    }

    func insert(_ clip: EngineClip, _ key: ClipCache.Key) {
        cache.withLock { $0.insert(clip, key) }
    }
}

/// Reads and decodes on one thread.
actor DecodingThread {
    private let executor: ThreadExecutor
    private let roots: MediaRoots
    private let limits: MediaLimits
    private let images: ImageDecoder
    private let videos: VideoDecoder
    private let recoder: JPEGRecoder

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    init(name: String, roots: MediaRoots, limits: MediaLimits) {
        executor = ThreadExecutor(name: name)
        self.roots = roots
        self.limits = limits
        images = ImageDecoder(limits: limits)
        videos = VideoDecoder(limits: limits)
        recoder = JPEGRecoder(limits: limits)
    }

    func image(
        _ source: MediaSource,
        _ preparation: PicturePreparation
    ) throws -> EngineImage {
        let bytes = try read(source)
        do throws(MediaError) {
            return try prepared(images.decode(bytes), SHA256.digest(bytes), preparation)
        } catch {
            throw failure(error, of: source.name)
        }
    }

    func clip(
        _ source: MediaSource,
        _ view: MediaView,
        _ clips: SharedClips
    ) throws -> EngineClip {
        let bytes = try read(source)
        let key = ClipCache.Key(file: SHA256.digest(bytes), view: view)
        if let clip = clips.clip(key) { return clip }
        do throws(MediaError) {
            let frames = try videos.decode(bytes, view.sampler)
            let preparation = view.preparation.forFrames(of: frames.images.count)
            var shown: [EngineImage] = []
            for (image, index) in zip(frames.images, frames.indices) {
                let digest = Self.digest(ofFrame: index, in: key.file)
                shown.append(try prepared(image, digest, preparation))
            }
            let clip = EngineClip(
                frames: shown,
                framesPerSecond: frames.timing?.framesPerSecond,
                times: frames.timing?.times
            )
            clips.insert(clip, key)
            return clip
        } catch {
            if case .decoderMissing = error {
                throw MediaFailure(
                    code: error.code,
                    message: "\(source.name): video: \(error.message)"
                )
            }
            throw failure(error, of: source.name)
        }
    }

    /// A picture after the steps that scripts take with it, named by its own name and theirs.
    private func prepared(
        _ image: RGBImage,
        _ digest: Digest,
        _ preparation: PicturePreparation
    ) throws(MediaError) -> EngineImage {
        guard !preparation.isNone else { return EngineImage(digest: digest, image: image) }
        var hash = SHA256()
        hash.update(field: "prepared picture 1".utf8)
        hash.update(field: digest.bytes)
        hash.update(field: preparation.description.utf8)
        let pixels = try preparation.prepared(image) { image, quality throws(MediaError) in
            try recoder.recode(image, quality: quality)
        }
        return EngineImage(digest: hash.digest(), image: pixels)
    }

    /// Names a frame: equal digests, equal pixels.
    private static func digest(ofFrame index: Int, in file: Digest) -> Digest {
        var hash = SHA256()
        hash.update(field: "video frame 1".utf8)
        hash.update(field: file.bytes)
        hash.update(field: "\(index)".utf8)
        return hash.digest()
    }

    private func read(_ source: MediaSource) throws -> [UInt8] {
        switch source {
        case .stored(let bytes, _): return bytes
        case .path(let path):
            do throws(MediaError) {
                return try roots.read(path: path, limits: limits)
            } catch {
                throw failure(error, of: nil)
            }
        }
    }

    /// `name` nil: the sentence names the file already.
    private func failure(_ error: MediaError, of name: String?) -> any Error {
        // A decoder that was stopped with its task is no fault of this host.
        if Task.isCancelled { return CancellationError() }
        if error.isHostFault { return error }
        let subject = name.map { "\($0): " } ?? ""
        return MediaFailure(code: error.code, message: subject + error.message)
    }
}
