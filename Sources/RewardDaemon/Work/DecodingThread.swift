import Hashing
import Inference
import MediaDecoding
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

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    init(name: String, roots: MediaRoots, limits: MediaLimits) {
        executor = ThreadExecutor(name: name)
        self.roots = roots
        self.limits = limits
        images = ImageDecoder(limits: limits)
        videos = VideoDecoder(limits: limits)
    }

    func image(_ source: MediaSource) throws -> EngineImage {
        let bytes = try read(source)
        do throws(MediaError) {
            let image = try images.decode(bytes)
            return EngineImage(digest: SHA256.digest(bytes), image: image)
        } catch {
            throw failure(error, of: source.name)
        }
    }

    func clip(
        _ source: MediaSource,
        _ sampler: FrameSampler,
        _ clips: SharedClips
    ) throws -> EngineClip {
        let bytes = try read(source)
        let key = ClipCache.Key(file: SHA256.digest(bytes), sampler: sampler)
        if let clip = clips.clip(key) { return clip }
        do throws(MediaError) {
            let frames = try videos.decode(bytes, sampler)
            let clip = EngineClip(
                frames: zip(frames.images, frames.indices).map { image, index in
                    EngineImage(digest: Self.digest(ofFrame: index, in: key.file), image: image)
                },
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
