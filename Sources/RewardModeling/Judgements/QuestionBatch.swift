package import Hashing
package import Inference

/// How one question of a batch ended.
package enum QuestionOutcome: Sendable, Equatable {
    /// With an answer that could be read.
    case answered(Judged)
    /// Without one. The judgements made on the way, if any, keep the raw responses.
    case failed(ItemFailure, judgements: [Digest])

    /// The judgements made or found for the question, in order.
    package var judgements: [Digest] {
        switch self {
        case .answered(let judged): judged.fingerprints
        case .failed(_, let judgements): judgements
        }
    }

    /// Why there is no answer; nil when there is one.
    package var failure: ItemFailure? {
        if case .failed(let failure, _) = self { return failure }
        return nil
    }
}

/// Asks the questions of one item: recalls them all at once, then asks what is left, several at a
/// time.
///
/// The outcomes depend on the answers only, never on which came first: each has its question's
/// place. Questions with one fingerprint (an item may hold the same picture twice) are asked once.
package struct QuestionBatch: Sendable {
    private let judge: Judge
    private let ledger: any JudgementLedger
    private let concurrency: Int

    /// - Parameter concurrency: The most questions put to the engine at a time. It computes what they
    ///   share once and packs the rest into the same passes, so that all of an item's questions had
    ///   better be there; the pictures are in memory in any case.
    package init(
        engine: any AnswerEngine,
        ledger: any JudgementLedger,
        decoding: AnswerDecoding,
        scope: String?,
        concurrency: Int = 32
    ) {
        precondition(concurrency > 0, "a batch asks at least one question at a time")
        judge = Judge(engine: engine, ledger: ledger, decoding: decoding, scope: scope)
        self.ledger = ledger
        self.concurrency = concurrency
    }

    /// The outcomes in the order of the questions.
    ///
    /// Throws `CancellationError`, and any error of engine or ledger that is not about one
    /// question; what was answered before is recorded by then.
    package func ask(_ questions: [JudgementQuestion]) async throws -> [QuestionOutcome] {
        try Task.checkCancellation()
        let fingerprints = questions.map(judge.fingerprints)
        let recalled = try await ledger.recall(unique(fingerprints.joined()))
        var places: [Digest: [Int]] = [:]
        for (index, own) in fingerprints.enumerated() {
            if let first = own.first { places[first, default: []].append(index) }
        }
        let asked = unique(fingerprints.compactMap(\.first)).compactMap { places[$0] }

        var outcomes: [QuestionOutcome?] = Array(repeating: nil, count: questions.count)
        try await withThrowingTaskGroup(of: ([Int], QuestionOutcome).self) { group in
            var waiting = asked.makeIterator()
            func start() {
                guard let indices = waiting.next(), let index = indices.first else { return }
                let question = questions[index]
                let own = fingerprints[index]
                group.addTask { (indices, try await outcome(question, own, recalled: recalled)) }
            }
            for _ in 0..<concurrency { start() }
            while let (indices, outcome) = try await group.next() {
                for index in indices { outcomes[index] = outcome }
                start()
            }
        }
        return outcomes.compactMap { $0 }
    }

    private func outcome(
        _ question: JudgementQuestion,
        _ fingerprints: [Digest],
        recalled: [Digest: RecordedJudgement]
    ) async throws -> QuestionOutcome {
        do {
            let judged = try await judge.judge(
                question,
                fingerprints: fingerprints,
                recalled: recalled
            )
            guard judged.answer.isUnparsed else { return .answered(judged) }
            let failure = ItemFailure(
                code: "unparsed",
                message: "response does not follow \(question.template.id): expected "
                    + "\(expectation(of: question.template)), got "
                    + "\(quoted(judged.answer.rawResponse)). The judgement keeps it whole."
            )
            return .failed(failure, judgements: judged.fingerprints)
        } catch let error as QuestionFailure {
            return .failed(error.failure, judgements: error.recorded)
        }
    }

    private func expectation(of template: PromptTemplate) -> String {
        guard template.criteria.isEmpty else {
            let names = template.criteria.map(\.label).joined(separator: ", ")
            let scale = template.scale?.json.json ?? "the scale"
            return "numbers on \(scale) for \(names)"
        }
        return template.choices.texts.map { quoted(template.answerPrefix + $0) }
            .joined(separator: " or ")
    }
}

/// The digests in the order they first occur.
package func unique(_ digests: some Sequence<Digest>) -> [Digest] {
    var seen: Set<Digest> = []
    return digests.filter { seen.insert($0).inserted }
}
