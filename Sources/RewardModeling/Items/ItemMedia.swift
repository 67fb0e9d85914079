import Inference
package import VisionPreprocessing

/// The decoded pictures and clips of one item, each file loaded once however often the item shows it.
package struct ItemMedia: Sendable {
    /// The most bytes of decoded pictures and frames one item may hold, 3 to a pixel.
    ///
    /// An item may name 64 clips of 64 frames; without a limit one item could take a daemon's memory.
    package static let maximumByteCount = 4 << 30

    private let images: [MediaReference: EngineImage]
    private let videos: [MediaReference: EngineClip]

    /// Loads every file of an item, several at a time.
    ///
    /// Gives the failure of the first file, in the payload's order, that has one, its message
    /// led by the path in the payload; `media_too_large` when all of them together are over the
    /// limit. Throws `CancellationError` and errors that are not `CodedError`s.
    ///
    /// - Parameter sampler: Which frames of a video file are shown.
    package static func load(
        _ payload: ItemPayload,
        from provider: any MediaProvider,
        sampler: FrameSampler = FrameSampler(),
        concurrency: Int = 4,
        maximumByteCount: Int = ItemMedia.maximumByteCount
    ) async throws -> Result<ItemMedia, ItemMediaFailure> {
        let files = files(of: payload)
        let loading = MediaLoading(provider: provider, sampler: sampler)
        let loaded = try await loading.load(
            files.map(\.file),
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
        var videos: [MediaReference: EngineClip] = [:]
        for (file, path) in files {
            switch (file, loaded[file]) {
            case (.image(let reference), .image(let image)?): images[reference] = image
            case (.video(let reference), .clip(let clip)?): videos[reference] = clip
            case (_, .failure(let error)?):
                return .failure(ItemMediaFailure(failure: ItemFailure(error, at: path)))
            default: preconditionFailure("every file of an item is loaded as what it is")
            }
        }
        return .success(ItemMedia(images: images, videos: videos))
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

    /// The frames of a video of the item these media were loaded for.
    func video(_ reference: MediaReference) -> EngineClip {
        guard let clip = videos[reference] else {
            preconditionFailure("a question shows only videos of its own item")
        }
        return clip
    }

    /// Every file of an item where it first stands in the payload, in the payload's order.
    private static func files(
        of payload: ItemPayload
    ) -> [(file: VisualReference, path: String)] {
        var shown: [(VisualReference, String)] = []
        switch payload.context {
        case .generation: break
        case .understanding(_, let reference):
            let path = if case .image = reference { "image" } else { "video" }
            shown.append((reference, path))
        case .editing(_, let source): shown.append((source, "source"))
        }
        for (candidate, path) in zip(payload.candidates, payload.candidatePaths) {
            if case .media(let reference) = candidate { shown.append((reference, path)) }
        }
        var seen: Set<VisualReference> = []
        return shown.flatMap { $0.files(at: $1) }.filter { seen.insert($0.file).inserted }
    }
}

/// The error by which an item's pictures or videos cannot be had.
package struct ItemMediaFailure: Error, Equatable {
    /// Why, led by the path in the payload.
    package let failure: ItemFailure
}
