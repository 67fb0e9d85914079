import Tokenization
import Transformer

extension EngineSession {
    /// Answers a ``GenerateRequest``: prefill, then one token at a time.
    ///
    /// `onText` receives the text as it becomes certain (whole characters only).
    ///
    /// - Throws: ``InferenceError``.
    func generate(
        _ request: GenerateRequest,
        cancellation: CancellationFlag,
        onText: (String) -> Void
    ) throws(InferenceError) -> GenerateResponse {
        let start = ContinuousClock.now
        try cancellation.check()
        guard request.maximumTokens >= 1 else {
            throw .invalidRequest(
                "maximumTokens: expected at least 1, got \(request.maximumTokens). Ask for one "
                    + "token or more."
            )
        }
        let prefix = try builder.answerTokens(request.answerPrefix)
        let plan = try builder.plan(request.prompt)
        let (room, overflow) = prefix.count.addingReportingOverflow(request.maximumTokens)
        try checkRoom(plan, answerTokens: overflow ? Int.max : room)

        var input = try prepare(plan, prompt: request.prompt, cancellation: cancellation)
        input.append(tokens: prefix)
        let promptTokens = input.count
        let imageSeconds = secondsSince(start)
        let stop = StopCondition(endTokens: endTokens, maximumTokens: request.maximumTokens)
        var decoder = IncrementalDecoder(
            tokenizer: builder.tokenizer,
            skippingSpecialTokens: true
        )
        var text = ""
        var written = 0
        var logits = try prefill(input, cancellation: cancellation)
        let prefillSeconds = secondsSince(start) - imageSeconds
        let finishReason: FinishReason
        while true {
            let token = try Sampler.greedy(logits)
            if let reason = stop.reason(token: token, written: written) {
                finishReason = reason
                break
            }
            written += 1
            let piece = decoder.append(token)
            if !piece.isEmpty {
                text += piece
                onText(piece)
            }
            if written == request.maximumTokens {
                // The token after the last would only tell stop from length; it costs a whole step.
                finishReason = .length
                break
            }
            try cancellation.check()
            input.append(tokens: CollectionOfOne(token))
            logits = try advance(to: input, cancellation: cancellation)
        }
        let rest = decoder.finish()
        if !rest.isEmpty {
            text += rest
            onText(rest)
        }
        return GenerateResponse(
            text: text,
            promptTokens: promptTokens,
            generatedTokens: written,
            finishReason: finishReason,
            seconds: secondsSince(start),
            imageSeconds: imageSeconds,
            prefillSeconds: prefillSeconds
        )
    }
}

/// Seconds of a monotonic clock since `start`.
func secondsSince(_ start: ContinuousClock.Instant) -> Double {
    let elapsed = ContinuousClock.now - start
    let (seconds, attoseconds) = elapsed.components
    return Double(seconds) + Double(attoseconds) * 1e-18
}
