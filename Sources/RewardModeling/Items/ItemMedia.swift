import Inference
import VisionPreprocessing

/// The decoded pictures and frames of one item, each loaded once however often the item shows it.
package struct ItemMedia: Sendable {
    /// The most bytes of decoded pictures one item may hold, 3 to a pixel.
    ///
    /// An item may name 64 clips of 64 frames; without a limit one item could take a daemon's memory.
    package static let maximumByteCount = 4 << 30

    private let images: [MediaReference: EngineImage]

    /// Loads every picture and frame of an item, several at a time.
    ///
    /// Gives the failure of the first picture, in the payload's order, that has one, its message
    /// led by the path in the payload; `media_too_large` when all of them together are over the
    /// limit. Throws `CancellationError` and errors that are not `CodedError`s.
    package static func load(
        _ payload: ItemPayload,
        from provider: any MediaProvider,
        concurrency: Int = 4,
        maximumByteCount: Int = ItemMedia.maximumByteCount
    ) async throws -> Result<ItemMedia, ItemMediaFailure> {
        let files = files(of: payload)
        let loaded = try await load(
            files.map(\.reference),
            from: provider,
            concurrency: concurrency,
            maximumByteCount: maximumByteCount
        )
        guard let loaded else {
            return .failure(
                ItemMediaFailure(
                    failure: ItemFailure(
                        code: "media_too_large",
                        message: "item: expected at most \(maximumByteCount) bytes of decoded "
                            + "pictures, got more. Use smaller or fewer pictures or frames."
                    )
                )
            )
        }
        var images: [MediaReference: EngineImage] = [:]
        for (reference, path) in files {
            switch loaded[reference] {
            case .success(let image)?: images[reference] = image
            case .failure(let error)?:
                return .failure(ItemMediaFailure(failure: ItemFailure(error.error, at: path)))
            case nil: preconditionFailure("every reference of an item is loaded")
            }
        }
        return .success(ItemMedia(images: images))
    }

    /// A picture of the item these media were loaded for.
    func image(_ reference: MediaReference) -> EngineImage {
        guard let image = images[reference] else {
            preconditionFailure("a question shows only pictures of its own item")
        }
        return image
    }

    /// A clip of the item these media were loaded for.
    func clip(_ frames: [MediaReference]) -> EngineClip {
        EngineClip(frames: frames.map(image))
    }

    /// Every file of an item where it first stands in the payload, in the payload's order.
    private static func files(
        of payload: ItemPayload
    ) -> [(reference: MediaReference, path: String)] {
        var shown: [(VisualReference, String)] = []
        switch payload.context {
        case .generation: break
        case .understanding(_, .image(let file)): shown.append((.image(file), "image"))
        case .understanding(_, .clip(let frames)): shown.append((.clip(frames), "video"))
        case .editing(_, let source): shown.append((source, "source"))
        }
        for (candidate, path) in zip(payload.candidates, payload.candidatePaths) {
            if case .media(let reference) = candidate { shown.append((reference, path)) }
        }
        var seen: Set<MediaReference> = []
        return shown.flatMap { $0.files(at: $1) }.filter { seen.insert($0.reference).inserted }
    }

    /// Nil when the pictures together are over the limit, whichever of them came first.
    private static func load(
        _ references: [MediaReference],
        from provider: any MediaProvider,
        concurrency: Int,
        maximumByteCount: Int
    ) async throws -> [MediaReference: Result<EngineImage, Coded>]? {
        try await withThrowingTaskGroup(
            of: (MediaReference, Result<EngineImage, Coded>).self
        ) { group in
            var loaded: [MediaReference: Result<EngineImage, Coded>] = [:]
            var byteCount = 0
            var waiting = references.makeIterator()
            func start() {
                guard let reference = waiting.next() else { return }
                group.addTask {
                    try Task.checkCancellation()
                    do {
                        return (reference, .success(try await provider.image(reference)))
                    } catch let error as any CodedError {
                        return (reference, .failure(Coded(error: error)))
                    }
                }
            }
            for _ in 0..<concurrency { start() }
            while let (reference, result) = try await group.next() {
                if case .success(let image) = result { byteCount += image.image.pixels.count }
                if byteCount > maximumByteCount {
                    group.cancelAll()
                    return nil
                }
                loaded[reference] = result
                start()
            }
            return loaded
        }
    }
}

/// The error by which an item's pictures cannot be had.
package struct ItemMediaFailure: Error, Equatable {
    /// Why, led by the path in the payload.
    package let failure: ItemFailure
}

private struct Coded: Error {
    let error: any CodedError
}
