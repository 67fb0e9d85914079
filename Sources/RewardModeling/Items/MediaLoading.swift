import Inference
import VisionPreprocessing

/// Loads files of an item, several at a time.
struct MediaLoading {
    /// A file in the form in which it is shown.
    enum Request: Sendable, Hashable {
        case image(MediaReference, PicturePreparation)
        case video(MediaReference, MediaView)
    }

    /// What a file came to.
    enum Loaded: Sendable {
        case image(EngineImage)
        case clip(EngineClip)
        /// It cannot be had, which fails the item.
        case failure(any CodedError)

        /// Bytes of its pixels.
        var byteCount: Int {
            switch self {
            case .image(let image): image.image.pixels.count
            case .clip(let clip): clip.frames.reduce(0) { $0 + $1.image.pixels.count }
            case .failure: 0
            }
        }
    }

    let provider: any MediaProvider

    /// Each request with what it came to; nil when all of them together are over the limit, whichever of them
    /// came first. None stands twice.
    func load(
        _ requests: [Request],
        concurrency: Int,
        maximumByteCount: Int
    ) async throws -> [Request: Loaded]? {
        try await withThrowingTaskGroup(of: (Request, Loaded).self) { group in
            var loaded: [Request: Loaded] = [:]
            var byteCount = 0
            var waiting = requests.makeIterator()
            func start() {
                guard let request = waiting.next() else { return }
                group.addTask {
                    try Task.checkCancellation()
                    do {
                        return (request, try await load(request))
                    } catch let error as any CodedError {
                        return (request, .failure(error))
                    }
                }
            }
            for _ in 0..<concurrency { start() }
            while let (request, result) = try await group.next() {
                byteCount += result.byteCount
                if byteCount > maximumByteCount {
                    group.cancelAll()
                    return nil
                }
                loaded[request] = result
                start()
            }
            return loaded
        }
    }

    private func load(_ request: Request) async throws -> Loaded {
        switch request {
        case .image(let reference, let preparation):
            .image(try await provider.image(reference, preparation))
        case .video(let reference, let view): .clip(try await provider.video(reference, view))
        }
    }
}
