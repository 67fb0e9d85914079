import Inference

/// The decoded pictures of one item, each loaded once however often the item shows it.
package struct ItemMedia: Sendable {
    private let images: [MediaReference: EngineImage]

    /// Loads every picture of an item, several at a time.
    ///
    /// Gives the failure of the first picture, in the payload's order, that has one, its message
    /// led by the path in the payload. Throws `CancellationError` and errors that are not
    /// `CodedError`s.
    package static func load(
        _ payload: ItemPayload,
        from provider: any MediaProvider,
        concurrency: Int = 4
    ) async throws -> Result<ItemMedia, ItemMediaFailure> {
        var references: [(MediaReference, path: String)] = []
        if case .understanding(_, let image) = payload.context {
            references.append((image, "image"))
        }
        for (candidate, path) in zip(payload.candidates, payload.candidatePaths) {
            guard case .media(let reference) = candidate,
                !references.contains(where: { $0.0 == reference })
            else { continue }
            references.append((reference, path))
        }
        let loaded = try await load(
            references.map(\.0),
            from: provider,
            concurrency: concurrency
        )
        var images: [MediaReference: EngineImage] = [:]
        for (reference, path) in references {
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

    private static func load(
        _ references: [MediaReference],
        from provider: any MediaProvider,
        concurrency: Int
    ) async throws -> [MediaReference: Result<EngineImage, Coded>] {
        try await withThrowingTaskGroup(
            of: (MediaReference, Result<EngineImage, Coded>).self
        ) { group in
            var loaded: [MediaReference: Result<EngineImage, Coded>] = [:]
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
