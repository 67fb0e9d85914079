import Hashing
import Inference
import RewardModeling
import Testing

@Suite("The judge")
struct JudgeTests {
    private func judge(
        _ engine: ScriptedEngine,
        _ ledger: MemoryLedger,
        _ decoding: AnswerDecoding = .choices,
        scope: String? = nil
    ) -> Judge {
        Judge(engine: engine, ledger: ledger, decoding: decoding, scope: scope)
    }

    @Test("asks, and records the answer with everything it was asked with")
    func records() async throws {
        let engine = ScriptedEngine(choose: { _ in [0.1, 0.7, 0.2] })
        let ledger = MemoryLedger()
        let question = try QuestionSamples.pair(.secondFirst)
        let judged = try await judge(engine, ledger).judge(question, recalled: [:])
        let row = try #require(ledger.all.first)
        #expect(ledger.all == [judged.answer] && !judged.isReused)
        #expect(judged.fingerprints == [row.fingerprint])
        #expect(
            row.fingerprint == question.fingerprint(engine: engine, decoding: .choices, scope: nil)
        )
        #expect(row.kind == .pairRank && row.task == .imageGeneration)
        #expect(row.templateID == "image_generation/pair_rank")
        #expect(row.templateDigest == question.template.digest)
        #expect(row.answerMode == .choices && row.order == .secondFirst)
        #expect(row.verdict == .first && row.score == nil && row.scaleMinimum == nil)
        #expect(row.probabilities == ["first": 0.7, "second": 0.1, "tie": 0.2])
        #expect(row.promptTokens == 100 && row.generatedTokens == 0 && row.seconds == 0.5)
    }

    @Test("asks for the template's choices after its prefix")
    func request() async throws {
        let engine = ScriptedEngine(choose: { request in
            #expect(request.choices == ["1", "2", "3", "4", "5"])
            #expect(request.answerPrefix == "Final Score: ")
            #expect(request.prompt.images.count == 1)
            return [0, 0, 0, 1, 0]
        })
        let judged = try await judge(engine, MemoryLedger()).judge(
            try QuestionSamples.point(),
            recalled: [:]
        )
        #expect(judged.answer.score == 4)
        #expect(judged.answer.scaleMinimum == 1 && judged.answer.scaleMaximum == 5)
        #expect(judged.answer.order == nil)
    }

    @Test("a free answer is parsed, with its tokens and its text kept")
    func generates() async throws {
        let engine = ScriptedEngine(generate: { request in
            #expect(request.maximumTokens == 64 && request.answerPrefix.isEmpty)
            return "The dogs are two. Final Score: 3.7"
        })
        let ledger = MemoryLedger()
        let judged = try await judge(engine, ledger, .generate(maximumTokens: 64)).judge(
            try QuestionSamples.point(),
            recalled: [:]
        )
        #expect(judged.answer.score == 3.7 && judged.answer.spread == nil)
        #expect(judged.answer.rawResponse == "The dogs are two. Final Score: 3.7")
        #expect(judged.answer.generatedTokens == 7 && judged.answer.answerMode == .generate)
        #expect(engine.counts.chosen == 0 && ledger.all.count == 1)
    }

    @Test("the pack's penalty reaches the engine, and is recorded with the answer")
    func penalty() async throws {
        let decoding = Decoding(repetitionPenalty: 1.05, penalizesPrompt: false)
        let engine = ScriptedEngine(generate: { request in
            #expect(request.decoding == decoding)
            return "Final Score: 3"
        })
        let judged = try await judge(
            engine,
            MemoryLedger(),
            .generate(maximumTokens: 64, decoding: decoding)
        ).judge(try QuestionSamples.point(), recalled: [:])
        #expect(
            judged.answer.decoding?.json
                == #"{"max_tokens":64,"penalizes":"answer","repetition_penalty":1.05}"#
        )
        let plain = try await judge(
            ScriptedEngine(generate: { _ in "Final Score: 3" }),
            MemoryLedger(),
            .generate(maximumTokens: 64)
        ).judge(try QuestionSamples.point(), recalled: [:])
        #expect(plain.answer.decoding?.json == #"{"max_tokens":64,"repetition_penalty":1}"#)
        let chosen = try await judge(ScriptedEngine(), MemoryLedger())
            .judge(try QuestionSamples.point(), recalled: [:])
        #expect(chosen.answer.decoding == nil)
    }

    @Test("an unparsed answer is recorded, then asked once more by choices and recorded again")
    func retries() async throws {
        let engine = ScriptedEngine(
            choose: { _ in [0.9, 0.1, 0] },
            generate: { _ in "Hard to say." }
        )
        let ledger = MemoryLedger()
        let question = try QuestionSamples.pair()
        let judged = try await judge(engine, ledger, .generate(maximumTokens: 64)).judge(
            question,
            recalled: [:]
        )
        #expect(ledger.all.map(\.verdict) == [.unparsed, .first])
        #expect(ledger.all.map(\.answerMode) == [.generate, .choices])
        #expect(ledger.all.map(\.rawResponse)[0] == "Hard to say.")
        #expect(judged.answer.verdict == .first)
        #expect(judged.fingerprints == ledger.all.map(\.fingerprint))
        #expect(
            judged.fingerprints[1]
                == question.fingerprint(engine: engine, decoding: .choices, scope: nil),
            "the constrained question is the one that choices would have asked"
        )
        #expect(engine.counts.chosen == 1 && engine.counts.generated == 1)
    }

    @Test("an answer cut off at its longest is kept, and asked for again")
    func cutOff() async throws {
        let engine = ScriptedEngine(
            finish: .length,
            choose: { _ in [0, 0, 0, 1, 0] },
            generate: { _ in "Final Score: 3" }
        )
        let ledger = MemoryLedger()
        let judged = try await judge(engine, ledger, .generate(maximumTokens: 4)).judge(
            try QuestionSamples.point(),
            recalled: [:]
        )
        #expect(judged.answer.score == 4)
        #expect(ledger.all.map(\.rawResponse) == ["Final Score: 3", "Final Score: 4"])
        #expect(ledger.all.map(\.verdict) == [.unparsed, nil])
    }

    @Test("what was recorded is not asked again, the unparsed answer included")
    func recalls() async throws {
        let engine = ScriptedEngine(
            choose: { _ in [0.9, 0.1, 0] },
            generate: { _ in "Hard to say." }
        )
        let ledger = MemoryLedger()
        let judge = judge(engine, ledger, .generate(maximumTokens: 64))
        let question = try QuestionSamples.pair()
        let first = try await judge.judge(question, recalled: [:])
        let recalled = try await ledger.recall(judge.fingerprints(of: question))
        let second = try await judge.judge(question, recalled: recalled)
        #expect(second.answer == first.answer && second.isReused)
        #expect(engine.counts.chosen == 1 && engine.counts.generated == 1 && ledger.all.count == 2)

        let unparsedOnly = recalled.filter { $0.value.isUnparsed }
        let third = try await judge.judge(question, recalled: unparsedOnly)
        #expect(third.answer == first.answer && !third.isReused)
        #expect(engine.counts.chosen == 2 && engine.counts.generated == 1)
    }

    @Test(
        "a record that cannot be the answer is asked again rather than believed",
        arguments: [
            RecordedJudgement.sample(kind: .pairRank, verdict: .first),
            .sample(kind: .pointScore), .sample(kind: .pointScore, score: 9, scale: 1...5),
            .sample(kind: .pointScore, score: .nan, scale: 1...5),
            .sample(kind: .pointScore, score: 3, scale: 1...10),
            .sample(kind: .pointScore, score: 3),
            .sample(kind: .pointScore, order: .firstSecond, score: 3, scale: 1...5),
            .sample(kind: .pointScore, score: 3, scale: 1...5, probabilities: ["1": .nan]),
        ]
    )
    func distrusts(row: RecordedJudgement) async throws {
        let engine = ScriptedEngine(choose: { _ in [0, 0, 0, 1, 0] })
        let question = try QuestionSamples.point()
        let judge = judge(engine, MemoryLedger())
        let fingerprint = judge.fingerprints(of: question)[0]
        let judged = try await judge.judge(
            question,
            recalled: [fingerprint: row.filed(under: fingerprint)]
        )
        #expect(judged.answer.score == 4 && engine.counts.chosen == 1)
    }

    @Test("a prompt that is too long concerns the question; what was recorded before is named")
    func tooLong() async throws {
        let engine = ScriptedEngine(
            choose: { _ in throw InferenceError.promptTooLong(needed: 9, limit: 8, imageTokens: 5)
            },
            generate: { _ in "?" }
        )
        let ledger = MemoryLedger()
        do {
            _ = try await judge(engine, ledger, .generate(maximumTokens: 64)).judge(
                try QuestionSamples.pair(),
                recalled: [:]
            )
            Issue.record("expected a failure")
        } catch let error as QuestionFailure {
            #expect(error.failure.code == "prompt_too_long")
            #expect(error.failure.message.contains("9") && error.failure.message.contains("8"))
            #expect(error.recorded == ledger.all.map(\.fingerprint) && error.recorded.count == 1)
        }
    }

    @Test("weights that give no numbers fail the question, not the shard")
    func notFinite() async throws {
        let engine = ScriptedEngine(choose: { _ in throw InferenceError.notFinite })
        await #expect(throws: QuestionFailure.self) {
            try await judge(engine, MemoryLedger()).judge(
                try QuestionSamples.pair(),
                recalled: [:]
            )
        }
    }

    @Test("an engine's cancellation is a cancellation, and its shutdown stays what it is")
    func passesOn() async throws {
        let question = try QuestionSamples.pair()
        let cancelled = ScriptedEngine(choose: { _ in throw InferenceError.cancelled })
        await #expect(throws: CancellationError.self) {
            try await judge(cancelled, MemoryLedger()).judge(question, recalled: [:])
        }
        let stopping = ScriptedEngine(choose: { _ in throw InferenceError.shuttingDown })
        await #expect(throws: InferenceError.self) {
            try await judge(stopping, MemoryLedger()).judge(question, recalled: [:])
        }
        let ledger = MemoryLedger(recording: { _ in throw DiskFailure() })
        await #expect(throws: DiskFailure.self) {
            try await judge(ScriptedEngine(), ledger).judge(question, recalled: [:])
        }
    }

    @Test("a ledger's coded error is still the ledger's: it does not fail the item by name")
    func ledgerErrors() async throws {
        let ledger = MemoryLedger(recording: { _ in throw MissingMedia() })
        await #expect(throws: MissingMedia.self) {
            try await judge(ScriptedEngine(), ledger).judge(
                try QuestionSamples.pair(),
                recalled: [:]
            )
        }
    }
}
