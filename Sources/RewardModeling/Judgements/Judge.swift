package import Hashing
package import Inference

/// A question's answer, and every judgement it took to get it.
package struct Judged: Sendable, Equatable {
    /// The judgement that decides.
    package let answer: RecordedJudgement
    /// All judgements used, in the order they were made: an unparsed one first, when there was one.
    package let fingerprints: [Digest]
    /// Whether every one of them was already recorded, so that the engine was not asked.
    package let isReused: Bool
}

/// Answers one question: from the ledger when it has been answered before, else from the engine.
///
/// A free answer that cannot be read is kept, and the question is put once more with only the
/// allowed answers open to the model. What comes of that is a judgement of its own.
package struct Judge: Sendable {
    private let engine: any AnswerEngine
    private let ledger: any JudgementLedger
    private let decoding: AnswerDecoding
    private let scope: String?

    /// - Parameter scope: Mixed into fingerprints when answers may not be shared beyond one job.
    package init(
        engine: any AnswerEngine,
        ledger: any JudgementLedger,
        decoding: AnswerDecoding,
        scope: String?
    ) {
        self.engine = engine
        self.ledger = ledger
        self.decoding = decoding
        self.scope = scope
    }

    /// The fingerprints that may answer a question: the first asked, and the one asked after an
    /// unparsed free answer.
    package func fingerprints(of question: JudgementQuestion) -> [Digest] {
        attempts(for: question).map {
            question.fingerprint(engine: engine, decoding: $0, scope: scope)
        }
    }

    /// Answers a question and records what was asked, each judgement as soon as it has ended.
    ///
    /// The answer may still be unparsed, when the engine's probabilities are none. Throws a
    /// `QuestionFailure` when this question cannot be answered, `CancellationError`, and whatever
    /// else engine and ledger throw.
    /// - Parameters:
    ///   - known: The question's fingerprints where they have been made already; they cost as much as all
    ///     else that happens to an answer.
    ///   - recalled: What the ledger already holds, by fingerprint.
    package func judge(
        _ question: JudgementQuestion,
        fingerprints known: [Digest]? = nil,
        recalled: [Digest: RecordedJudgement]
    ) async throws -> Judged {
        var used: [Digest] = []
        var isReused = true
        var last: RecordedJudgement?
        for (attempt, fingerprint) in zip(
            attempts(for: question),
            known ?? fingerprints(of: question)
        ) {
            used.append(fingerprint)
            let judgement: RecordedJudgement
            if let known = recalled[fingerprint], known.answers(question) {
                judgement = known
            } else {
                isReused = false
                judgement = try await ask(
                    question,
                    decoding: attempt,
                    fingerprint: fingerprint,
                    used: used
                )
                try await ledger.record(judgement)
            }
            last = judgement
            if !judgement.isUnparsed { break }
        }
        guard let last else { preconditionFailure("a question is asked at least once") }
        return Judged(answer: last, fingerprints: used, isReused: isReused)
    }

    /// The ways of decoding, in the order they are tried.
    private func attempts(for question: JudgementQuestion) -> [AnswerDecoding] {
        decoding == .choices
            ? [.choices] : [decoding.limited(to: question.longestAnswer), .choices]
    }

    private func ask(
        _ question: JudgementQuestion,
        decoding: AnswerDecoding,
        fingerprint: Digest,
        used: [Digest]
    ) async throws -> RecordedJudgement {
        try Task.checkCancellation()
        do {
            switch decoding {
            case .choices where !question.template.slots.isEmpty:
                return try await SlotWalk(engine: engine, question: question)
                    .judgement(fingerprint: fingerprint)
            case .choices:
                let response = try await engine.choose(
                    ChooseRequest(
                        prompt: question.prompt,
                        answerPrefix: question.template.answerPrefix,
                        choices: question.template.choices.texts
                    )
                )
                let reading = try AnswerReading(
                    probabilities: response.probabilities,
                    question: question
                )
                return RecordedJudgement(
                    reading,
                    to: question,
                    fingerprint: fingerprint,
                    mode: .choices,
                    promptTokens: response.promptTokens,
                    generatedTokens: 0,
                    seconds: response.seconds
                )
            case .generate(let maximumTokens, let tokens):
                let response = try await engine.generate(
                    GenerateRequest(
                        prompt: question.prompt,
                        answerPrefix: "",
                        maximumTokens: maximumTokens,
                        decoding: tokens
                    )
                )
                let reading = AnswerReading(
                    generated: response.text,
                    isComplete: response.finishReason == .stop,
                    question: question
                )
                return RecordedJudgement(
                    reading,
                    to: question,
                    fingerprint: fingerprint,
                    mode: .generate,
                    decoding: decoding.json,
                    promptTokens: response.promptTokens,
                    generatedTokens: response.generatedTokens,
                    seconds: response.seconds
                )
            }
        } catch {
            throw Self.translated(error, recorded: used.dropLast())
        }
    }

    /// The codes of engine errors that the same question would meet again on any daemon.
    private static let questionErrors: Set<String> = [
        "prompt_too_long", "invalid_request", "not_finite",
    ]

    /// Sorts the errors of an engine: what concerns this question alone becomes a
    /// `QuestionFailure`.
    static func translated(
        _ error: any Error,
        recorded: some Sequence<Digest>
    ) -> any Error {
        switch error {
        case let error as InferenceError where questionErrors.contains(error.code):
            let failure = ItemFailure(code: error.code, message: String(describing: error))
            return QuestionFailure(failure: failure, recorded: Array(recorded))
        case let error as InferenceError where error.code == "cancelled":
            return CancellationError()
        case let error as any CodedError:
            return QuestionFailure(failure: ItemFailure(error), recorded: Array(recorded))
        default: return error
        }
    }
}

/// The error by which one question, and not the whole item, has no answer.
package struct QuestionFailure: Error, Equatable {
    /// Why.
    package let failure: ItemFailure
    /// The judgements recorded before it failed.
    package let recorded: [Digest]
}

extension RecordedJudgement {
    /// A question's answer as it is recorded.
    init(
        _ reading: AnswerReading,
        to question: JudgementQuestion,
        fingerprint: Digest,
        mode: AnswerMode,
        decoding: PayloadValue? = nil,
        promptTokens: Int,
        generatedTokens: Int,
        seconds: Double
    ) {
        let template = question.template
        self.init(
            fingerprint: fingerprint,
            kind: template.kind,
            task: template.task,
            templateID: template.id,
            templateDigest: template.digest,
            answerMode: mode,
            order: question.order,
            rawResponse: reading.rawResponse,
            verdict: reading.verdict,
            score: reading.score,
            scaleMinimum: template.scale?.minimum,
            scaleMaximum: template.scale?.maximum,
            spread: reading.spread,
            criteria: reading.criteria,
            probabilities: reading.probabilities,
            decoding: decoding,
            promptTokens: promptTokens,
            generatedTokens: generatedTokens,
            seconds: seconds
        )
    }
}
