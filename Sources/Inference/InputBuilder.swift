package import Tokenization

/// Turns a prompt into what the decoder reads, in two steps.
///
/// ``plan(_:)`` computes every token count from texts and image sizes alone, so that a prompt that does not
/// fit is refused before any pixel is touched. Encoding the images and splicing their features in is the
/// engine thread's work.
package struct InputBuilder: Sendable {
    /// A prompt in tokens.
    package struct Plan: Sendable {
        /// Token ids, image slots and clip slots, in order.
        package let tokens: [PromptToken]
        /// Each image and clip the prompt shows, in order of appearance.
        package let visuals: [PlannedVisual]
        /// Rows of the whole prompt.
        package let count: Int

        /// The ids among its tokens: without those that stand for images and clips.
        var tokenIDs: [Int32] {
            tokens.compactMap { if case .id(let id) = $0 { id } else { nil } }
        }

        /// Rows of the images and clips.
        package var visualTokens: Int { visuals.reduce(0) { $0 + $1.tokens } }
    }

    let tokenizer: Tokenizer
    let template: ChatTemplate
    package let family: any VisualFamily
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
        let shown = try family.plan(template.render(prompt.content), of: prompt)
        let tokens = try promptTokens(shown.elements)
        let visuals = shown.visuals
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
        let ids = tokenizer.encode(text, addedTokens: .wordsOnly)
        for id in ids { try check(id) }
        return ids
    }

    private func promptTokens(
        _ elements: [PromptElement]
    ) throws(InferenceError) -> [PromptToken] {
        let tokens: [PromptToken]
        do {
            tokens = try tokenizer.encode(elements)
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
}

extension ContentPart {
    fileprivate var isVideo: Bool {
        if case .video = self { true } else { false }
    }
}
