import Hashing
import Inference
import MediaDecoding
import RewardModeling
import Threading
import VisionPreprocessing

/// Turns the media references of items into decoded images.
///
/// Reading and decoding block (a file, then a child process), so they run on a few threads of their
/// own; the cooperative pool only waits for them. Nothing is cached here: an item asks for each of its
/// media once, and the engine keeps encoded images by digest.
final class MediaLibrary: MediaProvider {
    private let threads: [DecodingThread]
    private let storedMedia: @Sendable (Digest) async throws -> [UInt8]?

    /// - Parameters:
    ///   - roots: the directories under which files may be read.
    ///   - threadCount: how many images are decoded at once.
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
        self.storedMedia = storedMedia
    }

    /// The decoded image with the digest of its file.
    ///
    /// Throws `MediaFailure`, which fails the item by name; what is this machine's fault, such as a
    /// missing decoder, is thrown as it is, so that the shard is tried again; likewise the database's
    /// error for stored media.
    func image(_ reference: MediaReference) async throws -> EngineImage {
        switch reference {
        case .path(let path):
            return try await thread(for: path.hashValue).image(path: path)
        case .stored(let digest):
            guard let bytes = try await storedMedia(digest) else {
                throw MediaFailure(
                    code: "media_not_found",
                    message: "media \(digest.hex): expected bytes uploaded with "
                        + "rewardd.put_media, got none. Upload them again."
                )
            }
            return try await thread(for: digest.hashValue).image(bytes: bytes, name: digest.hex)
        }
    }

    private func thread(for hash: Int) -> DecodingThread {
        threads[Int(UInt(bitPattern: hash) % UInt(threads.count))]
    }
}

/// A media file that cannot be used, with the code and the sentence that its item fails with.
struct MediaFailure: CodedError, Sendable {
    let code: String
    let message: String
}

/// Reads and decodes on one thread.
private actor DecodingThread {
    private let executor: ThreadExecutor
    private let roots: MediaRoots
    private let limits: MediaLimits
    private let decoder: ImageDecoder

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    init(name: String, roots: MediaRoots, limits: MediaLimits) {
        executor = ThreadExecutor(name: name)
        self.roots = roots
        self.limits = limits
        decoder = ImageDecoder(limits: limits)
    }

    func image(path: String) throws -> EngineImage {
        let bytes: [UInt8]
        do throws(MediaError) {
            bytes = try roots.read(path: path, limits: limits)
        } catch {
            throw failure(error, of: nil)
        }
        return try image(bytes: bytes, name: "\"\(path)\"")
    }

    func image(bytes: [UInt8], name: String) throws -> EngineImage {
        do throws(MediaError) {
            let image = try decoder.decode(bytes)
            return EngineImage(digest: SHA256.digest(bytes), image: image)
        } catch {
            throw failure(error, of: name)
        }
    }

    /// `name` nil: the sentence names the file already.
    private func failure(_ error: MediaError, of name: String?) -> any Error {
        if error.isHostFault { return error }
        let subject = name.map { "\($0): " } ?? ""
        return MediaFailure(code: error.code, message: subject + error.message)
    }
}
