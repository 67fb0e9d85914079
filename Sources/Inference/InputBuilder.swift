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
    /// One image or clip of a prompt, sized but not yet cut.
    package struct PlannedVisual: Sendable {
        /// What is shown, by its index in the prompt.
        package enum Source: Sendable, Equatable {
            /// One of the prompt's images, and how it is cut into tiles.
            case image(Int, ImageProcessor.Layout)
            /// One of the prompt's clips: a tile for each frame.
            case clip(Int)
        }

        /// What is shown.
        package let source: Source
        /// How the tiles' features become rows.
        package let packing: ImageTiles.Packing
        /// Rows it takes.
        package let tokens: Int
        /// Names its features: equal keys, equal features.
        package let key: String
    }

    /// A prompt in tokens.
    package struct Plan: Sendable {
        /// Token ids, image slots and clip slots, in order.
        package let tokens: [PromptToken]
        /// Each image and clip the prompt shows, in order of appearance.
        package let visuals: [PlannedVisual]
        /// Rows of the whole prompt.
        package let count: Int

        /// Rows of the images and clips.
        package var visualTokens: Int { visuals.reduce(0) { $0 + $1.tokens } }
    }

    let tokenizer: Tokenizer
    let template: ChatTemplate
    let processor: ImageProcessor
    let videoProcessor: VideoProcessor
    let packing: ImagePacking
    let layoutRule: ImageLayoutRule
    let vocabularySize: Int

    /// Token counts of a prompt.
    ///
    /// - Throws: ``InferenceError/invalidRequest(_:)`` for a slot without an image or clip, a clip
    ///   without frames, or a clip that the template has no place for.
    package func plan(_ prompt: EnginePrompt) throws(InferenceError) -> Plan {
        if !template.carriesVideos, prompt.content.contains(where: \.isVideo) {
            throw .invalidRequest(
                "content: expected texts and images, got a video. The chat template of this model "
                    + "has no place for videos: use a model that takes them."
            )
        }
        let tokens = try promptTokens(prompt)
        let imageCount = tokens.count { if case .image = $0 { true } else { false } }
        let layout = layoutRule.layout(imageCount: imageCount)
        var visuals: [PlannedVisual] = []
        for token in tokens {
            switch token {
            case .id: break
            case .image(let slot):
                try check(slot, below: prompt.images.count, noun: "image")
                visuals.append(planImage(prompt.images[slot], slot: slot, layout: layout))
            case .video(let slot):
                try check(slot, below: prompt.clips.count, noun: "video")
                visuals.append(try planClip(prompt.clips[slot], slot: slot))
            }
        }
        let visualTokens = visuals.reduce(0) { $0 + $1.tokens }
        return Plan(
            tokens: tokens,
            visuals: visuals,
            count: tokens.count - visuals.count + visualTokens
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

    /// Squashes one frame of a clip into a tile, still 8 bits per sample.
    package func tile(of frame: RGBImage) -> ProcessedImage {
        videoProcessor.tiles(of: [frame])
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

    private func check(_ slot: Int, below count: Int, noun: String) throws(InferenceError) {
        guard slot >= 0, slot < count else {
            throw .invalidRequest(
                "content: expected \(noun == "image" ? "an" : "a") \(noun) slot below \(count), "
                    + "got \(slot). Add the \(noun) or drop the slot."
            )
        }
    }

    private func planImage(
        _ image: EngineImage,
        slot: Int,
        layout: ImageProcessor.Layout
    ) -> PlannedVisual {
        let packing = tilePacking(of: image.image, layout: layout)
        return PlannedVisual(
            source: .image(slot, layout),
            packing: packing,
            tokens: self.packing.tokenCount(of: packing),
            key: "\(image.digest.hex) \(layout)"
        )
    }

    private func planClip(
        _ clip: EngineClip,
        slot: Int
    ) throws(InferenceError) -> PlannedVisual {
        guard !clip.frames.isEmpty else {
            throw .invalidRequest(
                "clips[\(slot)]: expected at least one frame, got none. Give the frames to show."
            )
        }
        let packing = ImageTiles.Packing.pooledFrames(count: clip.frames.count)
        return PlannedVisual(
            source: .clip(slot),
            packing: packing,
            tokens: self.packing.tokenCount(of: packing),
            key: "clip \(clip.digest.hex)"
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

extension ContentPart {
    fileprivate var isVideo: Bool {
        if case .video = self { true } else { false }
    }
}
