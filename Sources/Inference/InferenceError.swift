/// Why an engine did not answer.
package enum InferenceError: Error, Sendable, Equatable {
    /// The prompt with the room for its answer does not fit in the context. All counts in tokens;
    /// those of images include clips.
    case promptTooLong(needed: Int, limit: Int, imageTokens: Int)
    /// The request contradicts itself; the sentence names the field.
    case invalidRequest(String)
    /// The task that asked was cancelled.
    case cancelled
    /// The engine is stopping and takes no more requests.
    case shuttingDown
    /// The model would take more memory than the engines may use. Both in bytes.
    case modelTooLarge(needed: Int, available: Int)
    /// No model of this name is registered.
    case unknownModel(name: String, known: [String])
    /// The checkpoint, its tokenizer or its template cannot be used; the sentence says why.
    case modelUnusable(String)
    /// The weights gave logits that are not numbers.
    case notFinite

    /// A word for programs, as stored with a failed item.
    package var code: String {
        switch self {
        case .promptTooLong: "prompt_too_long"
        case .invalidRequest: "invalid_request"
        case .cancelled: "cancelled"
        case .shuttingDown: "shutting_down"
        case .modelTooLarge: "model_too_large"
        case .unknownModel: "unknown_model"
        case .modelUnusable: "model_unusable"
        case .notFinite: "not_finite"
        }
    }
}

// MARK: - CustomStringConvertible

extension InferenceError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .promptTooLong(let needed, let limit, let imageTokens):
            "prompt: expected at most \(limit) tokens with the room for the answer, got \(needed) "
                + "(images: \(imageTokens)). Use fewer or smaller images, fewer frames, a shorter "
                + "text or a shorter answer, or raise the context limit."
        case .invalidRequest(let sentence), .modelUnusable(let sentence):
            sentence
        case .cancelled:
            "the request was cancelled before it was answered."
        case .shuttingDown:
            "the engine is stopping and takes no more requests."
        case .modelTooLarge(let needed, let available):
            "model: expected at most \(available) bytes of memory, needs \(needed). Raise the "
                + "memory budget, lower the context limit or use a smaller model."
        case .unknownModel(let name, let known):
            "model: expected one of \(quoted(known)), got \"\(name)\". Register the model or "
                + "correct the name."
        case .notFinite:
            "logits: expected finite numbers, got none. The weights of the model are damaged or "
                + "overflow in single precision."
        }
    }

    private func quoted(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.map { "\"\($0)\"" }.joined(separator: ", ")
    }
}
