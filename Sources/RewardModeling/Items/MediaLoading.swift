import Inference
import VisionPreprocessing

/// Loads files of an item, several at a time.
struct MediaLoading {
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
    let sampler: FrameSampler

    /// Each file with what it came to; nil when all of them together are over the limit, whichever of them
    /// came first. Files are pictures or videos, none twice.
    func load(
        _ files: [VisualReference],
        concurrency: Int,
        maximumByteCount: Int
    ) async throws -> [VisualReference: Loaded]? {
        try await withThrowingTaskGroup(of: (VisualReference, Loaded).self) { group in
            var loaded: [VisualReference: Loaded] = [:]
            var byteCount = 0
            var waiting = files.makeIterator()
            func start() {
                guard let file = waiting.next() else { return }
                group.addTask {
                    try Task.checkCancellation()
                    do {
                        return (file, try await load(file))
                    } catch let error as any CodedError {
                        return (file, .failure(error))
                    }
                }
            }
            for _ in 0..<concurrency { start() }
            while let (file, result) = try await group.next() {
                byteCount += result.byteCount
                if byteCount > maximumByteCount {
                    group.cancelAll()
                    return nil
                }
                loaded[file] = result
                start()
            }
            return loaded
        }
    }

    private func load(_ file: VisualReference) async throws -> Loaded {
        switch file {
        case .image(let reference): .image(try await provider.image(reference))
        case .video(let reference): .clip(try await provider.video(reference, sampler))
        case .clip(let frames):
            preconditionFailure("a clip of \(frames.count) frames is loaded frame by frame")
        }
    }
}
