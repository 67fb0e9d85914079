import Inference
import VisionPreprocessing

/// The decoded pictures and clips of one item, each file loaded once however often the item shows it.
package struct ItemMedia: Sendable {
    /// The most bytes of decoded pictures and frames one item may hold, 3 to a pixel.
    ///
    /// An item may name 64 clips of 64 frames; without a limit one item could take a daemon's memory.
    package static let maximumByteCount = 4 << 30

    private let images: [MediaLoading.Request: EngineImage]
    private let videos: [MediaLoading.Request: EngineClip]

    /// Loads every file of an item, several at a time.
    ///
    /// Gives the failure of the first file, in the payload's order, that has one, its message
    /// led by the path in the payload; `media_too_large` when all of them together are over the
    /// limit. Throws `CancellationError` and errors that are not `CodedError`s.
    ///
    /// - Parameter views: In which ways the questions about the item show its media; each file is loaded once
    ///   for those that show it alike.
    package static func load(
        _ payload: ItemPayload,
        from provider: any MediaProvider,
        views: [MediaView] = [MediaView()],
        concurrency: Int = 4,
        maximumByteCount: Int = ItemMedia.maximumByteCount
    ) async throws -> Result<ItemMedia, ItemMediaFailure> {
        let requests = requests(of: payload, in: views)
        let loading = MediaLoading(provider: provider)
        let loaded = try await loading.load(
            requests.map(\.request),
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
        var images: [MediaLoading.Request: EngineImage] = [:]
        var videos: [MediaLoading.Request: EngineClip] = [:]
        for (request, path) in requests {
            switch loaded[request] {
            case .image(let image)?: images[request] = image
            case .clip(let clip)?: videos[request] = clip
            case .failure(let error)?:
                return .failure(ItemMediaFailure(failure: ItemFailure(error, at: path)))
            case nil: preconditionFailure("every file of an item is loaded")
            }
        }
        return .success(ItemMedia(images: images, videos: videos))
    }

    /// A picture of the item these media were loaded for, in a view they were loaded in.
    func image(_ reference: MediaReference, in view: MediaView) -> EngineImage {
        image(reference, view.preparation)
    }

    /// A clip of the item these media were loaded for, in a view they were loaded in.
    func clip(_ frames: [MediaReference], in view: MediaView) -> EngineClip {
        let preparation = view.preparation.forFrames(of: frames.count)
        return EngineClip(frames: frames.map { image($0, preparation) })
    }

    /// The frames of a video of the item these media were loaded for, in a view they were loaded in.
    func video(_ reference: MediaReference, in view: MediaView) -> EngineClip {
        guard let clip = videos[.video(reference, view)] else {
            preconditionFailure("a question shows only videos of its own item")
        }
        return clip
    }

    private func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) -> EngineImage {
        guard let image = images[.image(reference, preparation)] else {
            preconditionFailure("a question shows only pictures of its own item")
        }
        return image
    }

    /// Every file of an item in each of its forms, where it first stands in the payload, in the payload's order.
    private static func requests(
        of payload: ItemPayload,
        in views: [MediaView]
    ) -> [(request: MediaLoading.Request, path: String)] {
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
        var seen: Set<MediaLoading.Request> = []
        return shown.flatMap { reference, path in
            views.flatMap { reference.requests(at: path, in: $0) }
        }.filter { seen.insert($0.request).inserted }
    }
}

/// The error by which an item's pictures or videos cannot be had.
package struct ItemMediaFailure: Error, Equatable {
    /// Why, led by the path in the payload.
    package let failure: ItemFailure
}
