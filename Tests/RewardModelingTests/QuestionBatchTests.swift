import Hashing
import Inference
import RewardModeling
import Testing

@Suite("Batches of questions")
struct QuestionBatchTests {
    private func batch(
        _ engine: ScriptedEngine,
        _ ledger: MemoryLedger = MemoryLedger(),
        concurrency: Int = 3,
        decoding: AnswerDecoding = .choices
    ) -> QuestionBatch {
        QuestionBatch(
            engine: engine,
            ledger: ledger,
            decoding: decoding,
            scope: nil,
            concurrency: concurrency
        )
    }

    /// Answers by the number in the response: "dog #7" gets numeral 7 % 5 + 1.
    private func engine() -> ScriptedEngine {
        ScriptedEngine(choose: { request in
            for _ in 0..<Int.random(in: 0..<20) { await Task.yield() }
            let text = text(of: request.prompt)
            let number = text.split(separator: "#").last.flatMap { part in
                Int(part.prefix { $0.isNumber })
            }
            return (0..<5).map { $0 == (number ?? 0) % 5 ? 1 : 0 }
        })
    }

    @Test("each question gets its own answer, whichever comes first", arguments: [1, 2, 8, 64])
    func places(concurrency: Int) async throws {
        let questions = try (0..<40).map { try QuestionSamples.point("dog #\($0)") }
        let outcomes = try await batch(engine(), concurrency: concurrency).ask(questions)
        for (index, outcome) in outcomes.enumerated() {
            guard case .answered(let judged) = outcome else {
                Issue.record("question \(index) was not answered: \(outcome)")
                continue
            }
            #expect(judged.answer.score == Double(index % 5 + 1))
        }
        #expect(outcomes.count == 40)
    }

    @Test("no more questions are in the engine than allowed")
    func bounded() async throws {
        let scripted = engine()
        let questions = try (0..<30).map { try QuestionSamples.point("dog #\($0)") }
        _ = try await batch(scripted, concurrency: 4).ask(questions)
        #expect(scripted.counts.mostInFlight <= 4 && scripted.counts.chosen == 30)
    }

    @Test("the same question is asked once and answers every place it stands in")
    func once() async throws {
        let scripted = engine()
        let ledger = MemoryLedger()
        let question = try QuestionSamples.point("dog #3")
        let outcomes = try await batch(scripted, ledger).ask(
            [question, try QuestionSamples.point("dog #1"), question, question])
        #expect(scripted.counts.chosen == 2 && ledger.all.count == 2)
        #expect(outcomes[0] == outcomes[2] && outcomes[2] == outcomes[3])
        #expect(outcomes[0] != outcomes[1])
    }

    @Test("one question's failure leaves the others their answers")
    func isolates() async throws {
        let scripted = ScriptedEngine(choose: { request in
            if text(of: request.prompt).contains("long") {
                throw InferenceError.promptTooLong(needed: 10, limit: 8, imageTokens: 4)
            }
            return [1, 0, 0, 0, 0]
        })
        let outcomes = try await batch(scripted).ask([
            try QuestionSamples.point("short"), try QuestionSamples.point("long"),
            try QuestionSamples.point("short too"),
        ])
        #expect(outcomes.map { $0.failure?.code } == [nil, "prompt_too_long", nil])
        #expect(outcomes[1].judgements.isEmpty)
    }

    @Test("an answer that cannot be read is a failure that names both judgements")
    func unparsed() async throws {
        let scripted = ScriptedEngine(
            choose: { _ in [.nan, .nan, .nan] },
            generate: { _ in "I like both" }
        )
        let ledger = MemoryLedger()
        let outcomes = try await batch(scripted, ledger, decoding: .generate(maximumTokens: 9)).ask(
            [try QuestionSamples.pair()])
        #expect(outcomes[0].failure?.code == "unparsed")
        #expect(outcomes[0].failure?.message.contains("expected \"Image 1 is better") == true)
        #expect(outcomes[0].judgements == ledger.all.map(\.fingerprint))
        #expect(ledger.all.map(\.verdict) == [.unparsed, .unparsed])
        #expect(ledger.all[0].rawResponse == "I like both")
    }

    @Test("a fault of the engine ends the batch, and what was answered is recorded")
    func faults() async throws {
        let scripted = ScriptedEngine(choose: { request in
            if text(of: request.prompt).contains("dog #5") { throw DiskFailure() }
            return [1, 0, 0, 0, 0]
        })
        let ledger = MemoryLedger()
        let questions = try (0..<10).map { try QuestionSamples.point("dog #\($0)") }
        await #expect(throws: DiskFailure.self) {
            try await batch(scripted, ledger, concurrency: 1).ask(questions)
        }
        #expect(ledger.all.count == 5)
    }

    @Test("a cancelled batch throws CancellationError and asks no more")
    func cancels() async throws {
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let scripted = ScriptedEngine(choose: { _ in
            start.yield()
            while !Task.isCancelled { await Task.yield() }
            throw InferenceError.cancelled
        })
        let ledger = MemoryLedger()
        let questions = try (0..<10).map { try QuestionSamples.point("dog #\($0)") }
        let task = Task {
            try await batch(scripted, ledger, concurrency: 2).ask(questions)
        }
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(scripted.counts.chosen <= 2 && ledger.all.isEmpty)
    }

    @Test("no questions, no answers, nothing asked")
    func empty() async throws {
        #expect(try await batch(engine()).ask([]).isEmpty)
    }
}
