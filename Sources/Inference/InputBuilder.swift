import Hashing
package import Tokenization
package import Transformer
package import VisionPreprocessing

/// Turns a prompt into what the decoder reads, in two steps.
///
/// ``plan(_:)`` computes every token count from texts and image sizes alone, so that a prompt that does not
/// fit is refused before any pixel is touched. Encoding the images and splicing their features in is the
/// session's work (`EngineSession.prepare`).
package struct InputBuilder: Sendable {
    /// One image of a prompt, sized but not yet cut.
    package struct PlannedImage: Sendable {
        /// Index into the prompt's images.
        package let slot: Int
        /// How it is cut into tiles.
        package let layout: ImageProcessor.Layout
        /// How the tiles' features become rows.
        package let packing: ImageTiles.Packing
        /// Rows it takes.
        package let tokens: Int
        /// Names its features: equal keys, equal features.
        package let key: String
    }

    /// A prompt in tokens.
    package struct Plan: Sendable {
        /// Token ids and image slots, in order.
        package let tokens: [PromptToken]
        /// Each image the prompt shows, in order of appearance.
        package let images: [PlannedImage]
        /// Rows of the whole prompt.
        package let count: Int

        /// Rows of the images.
        package var imageTokens: Int { images.reduce(0) { $0 + $1.tokens } }
    }

    let tokenizer: Tokenizer
    let template: ChatTemplate
    let processor: ImageProcessor
    let packing: ImagePacking
    let layoutRule: ImageLayoutRule
    let vocabularySize: Int

    /// Token counts of a prompt.
    ///
    /// - Throws: ``InferenceError/invalidRequest(_:)`` for a slot without an image or a text the
    ///   template cannot carry.
    package func plan(_ prompt: EnginePrompt) throws(InferenceError) -> Plan {
        let tokens = try promptTokens(prompt)
        let slots = tokens.compactMap { token -> Int? in
            if case .image(let slot) = token { return slot }
            return nil
        }
        let layout = layoutRule.layout(imageCount: slots.count)
        var images: [PlannedImage] = []
        for slot in slots {
            guard prompt.images.indices.contains(slot) else {
                throw .invalidRequest(
                    "content: expected an image slot below \(prompt.images.count), got \(slot). "
                        + "Add the image or drop the slot."
                )
            }
            images.append(planImage(prompt.images[slot], slot: slot, layout: layout))
        }
        let imageTokens = images.reduce(0) { $0 + $1.tokens }
        return Plan(
            tokens: tokens,
            images: images,
            count: tokens.count - slots.count + imageTokens
        )
    }

    /// Tokens of a text the model writes or is made to write.
    ///
    /// - Throws: ``InferenceError/modelUnusable(_:)`` for a token the weights have no row for.
    package func answerTokens(_ text: String) throws(InferenceError) -> [Int32] {
        let ids = tokenizer.encode(text, addedTokens: .asText)
        for id in ids { try check(id) }
        return ids
    }

    /// Cuts an image into tiles, still 8 bits per sample.
    package func tiles(of image: RGBImage, layout: ImageProcessor.Layout) -> ProcessedImage {
        processor.tiles(of: image, layout: layout)
    }

    private func promptTokens(_ prompt: EnginePrompt) throws(InferenceError) -> [PromptToken] {
        let tokens: [PromptToken]
        do {
            tokens = try tokenizer.encode(template.render(prompt.content))
        } catch {
            throw .modelUnusable("\(error)")
        }
        for case .id(let id) in tokens { try check(id) }
        return tokens
    }

    /// A tokenizer from another model than the weights would read past the embedding table.
    private func check(_ id: Int32) throws(InferenceError) {
        guard id >= 0, Int(id) < vocabularySize else {
            throw .modelUnusable(
                "tokenizer: expected token ids below \(vocabularySize), got \(id). Is "
                    + "tokenizer.json from another checkpoint?"
            )
        }
    }

    private func planImage(
        _ image: EngineImage,
        slot: Int,
        layout: ImageProcessor.Layout
    ) -> PlannedImage {
        let packing = tilePacking(of: image.image, layout: layout)
        return PlannedImage(
            slot: slot,
            layout: layout,
            packing: packing,
            tokens: self.packing.tokenCount(of: packing),
            key: "\(image.digest.hex) \(layout)"
        )
    }

    /// How the features of an image's tiles will be packed, from its size.
    package func tilePacking(
        of image: RGBImage,
        layout: ImageProcessor.Layout
    ) -> ImageTiles.Packing {
        switch layout {
        case .paddedSquare: return .singleTile
        case .squashed: return .frame
        case .anyres:
            let grid = AnyresGrid(
                width: image.width,
                height: image.height,
                pinpoints: processor.pinpoints
            )
            return .anyres(
                gridRows: grid.canvasHeight / processor.imageSize,
                gridColumns: grid.canvasWidth / processor.imageSize,
                originalWidth: image.width,
                originalHeight: image.height
            )
        }
    }
}
