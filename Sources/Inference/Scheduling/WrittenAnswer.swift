import Tokenization

/// The text of one generation as it grows, token by token.
struct WrittenAnswer {
    /// What a token led to.
    enum Step: Equatable {
        /// The token belongs to the answer, and another one is wanted after it.
        case goOn(token: Int32)
        /// The answer is complete.
        case finished(FinishReason)
    }

    private let stop: StopCondition
    private var decoder: IncrementalDecoder
    private let onText: @Sendable (String) -> Void

    /// Whole characters, without the forced start and the end of the turn.
    private(set) var text = ""
    /// Tokens written.
    private(set) var count = 0

    /// An empty answer; `onText` receives its text as it becomes certain.
    init(
        stop: StopCondition,
        tokenizer: Tokenizer,
        onText: @escaping @Sendable (String) -> Void
    ) {
        self.stop = stop
        self.onText = onText
        decoder = IncrementalDecoder(tokenizer: tokenizer, skippingSpecialTokens: true)
    }

    /// Takes the model's next token.
    mutating func take(_ token: Int32) -> Step {
        if let reason = stop.reason(token: token, written: count) { return finish(reason) }
        count += 1
        write(decoder.append(token))
        // The token after the last would only tell stop from length; it costs a whole step.
        return count == stop.maximumTokens ? finish(.length) : .goOn(token: token)
    }

    private mutating func finish(_ reason: FinishReason) -> Step {
        write(decoder.finish())
        return .finished(reason)
    }

    private mutating func write(_ piece: String) {
        guard !piece.isEmpty else { return }
        text += piece
        onText(piece)
    }
}
