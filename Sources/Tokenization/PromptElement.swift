/// One stretch of a prompt before tokenisation.
package enum PromptElement: Sendable, Equatable {
    /// Text of the template and of the user. Added tokens inside it are recognised where they are mere words, so
    /// that user text cannot open a chat role or a media slot.
    case text(String)
    /// One added token by its exact name, `<|im_start|>`.
    case control(String)
    /// The place of an image, by its number in the request, counted from 0.
    case image(Int)
    /// The place of a clip, by its number among the request's clips, counted from 0.
    case video(Int)

    /// The same prompt with adjacent texts in one piece and without empty ones, so that tokenisation
    /// crosses from template to user text as in the reference.
    package static func merged(_ elements: [PromptElement]) -> [PromptElement] {
        var merged: [PromptElement] = []
        for element in elements {
            if case .text(let text) = element {
                if text.isEmpty { continue }
                if case .text(let before)? = merged.last {
                    merged[merged.count - 1] = .text(before + text)
                    continue
                }
            }
            merged.append(element)
        }
        return merged
    }
}

/// One token of an encoded prompt.
package enum PromptToken: Sendable, Equatable {
    case id(Int32)
    /// Where the features of an image go, however many rows they have.
    case image(Int)
    /// Where the features of a clip go, however many rows they have.
    case video(Int)
}

extension Tokenizer {
    /// Encodes a prompt. Each text element is normalised and encoded by itself, as the reference
    /// does between two added tokens. Throws when a control token is unknown to this tokenizer.
    package func encode(_ elements: [PromptElement]) throws(TokenizationError) -> [PromptToken] {
        var tokens: [PromptToken] = []
        for element in elements {
            switch element {
            case .text(let text):
                tokens += encode(text, addedTokens: .wordsOnly).map(PromptToken.id)
            case .control(let name):
                guard let id = id(ofAddedToken: name) else {
                    throw .unknownControlToken(
                        name: name,
                        known: addedTokens.tokens.map(\.content)
                    )
                }
                tokens.append(.id(id))
            case .image(let slot):
                tokens.append(.image(slot))
            case .video(let slot):
                tokens.append(.video(slot))
            }
        }
        return tokens
    }
}
