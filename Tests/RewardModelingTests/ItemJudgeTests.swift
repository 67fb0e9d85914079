import Inference
import RewardModeling
import Testing

@Suite("Items of one or two candidates")
struct ItemJudgeTests {
    private func judge(
        _ engine: ScriptedEngine,
        media: MemoryMedia = MemoryMedia(),
        ledger: MemoryLedger = MemoryLedger(),
        task: JudgingTask = .imageGeneration,
        _ change: (inout JudgingOptions) -> Void = { _ in }
    ) throws -> ItemJudge {
        var options = JudgingOptions()
        change(&options)
        return ItemJudge(
            JudgingSetup(
                engine: engine,
                media: media,
                ledger: ledger,
                pack: try QuestionSamples.pack.get(),
                task: task,
                options: options,
                jobScope: "job 1"
            )
        )
    }

    private func pair(_ first: String = "a", _ second: String = "b") throws -> ItemPayload {
        try ItemPayload(
            json: #"{"caption":"c","first":"\#(first)","second":"\#(second)"}"#.utf8,
            kind: .pairRank,
            task: .imageGeneration
        )
    }

    private func point() throws -> ItemPayload {
        try ItemPayload(
            json: #"{"caption":"c","image":"a"}"#.utf8,
            kind: .pointScore,
            task: .imageGeneration
        )
    }

    @Test("a score's result is exactly the documented JSON")
    func pointResult() async throws {
        let engine = ScriptedEngine(choose: { _ in [0, 0, 0.5, 0.5, 0] })
        let ledger = MemoryLedger()
        let item = try await judge(engine, ledger: ledger).pointScore(try point())
        #expect(
            item.outcome
                == .completed(
                    resultJSON: #"{"probabilities":{"1":0,"2":0,"3":0.5,"4":0.5,"5":0},"#
                        + #""reused":false,"scale":[1,5],"score":3.5,"spread":0.5}"#
                )
        )
        #expect(item.judgements == ledger.all.map(\.fingerprint))
        let again = try await judge(engine, ledger: ledger).pointScore(try point())
        guard case .completed(let json) = again.outcome else {
            Issue.record("expected a result, got \(again.outcome)")
            return
        }
        #expect(json.contains(#""reused":true"#) && engine.counts.chosen == 1)
    }

    @Test("a generated score has no spread and no probabilities")
    func generatedPoint() async throws {
        let engine = ScriptedEngine(generate: { _ in "Final Score: 3.7" })
        let item = try await judge(engine) { $0.answer = .generate }.pointScore(try point())
        #expect(
            item.outcome
                == .completed(
                    resultJSON:
                        #"{"probabilities":{},"reused":false,"scale":[1,5],"#
                        + #""score":3.7,"spread":null}"#
                )
        )
    }

    /// Prefers the picture that is not shown first, as a model sure of one picture does.
    private static func prefersB() -> ScriptedEngine {
        let favourite = try? picture("b").digest
        return ScriptedEngine(choose: { request in
            request.prompt.images[0].digest == favourite
                ? [0.75, 0.125, 0.125] : [0.25, 0.5, 0.25]
        })
    }

    @Test("a comparison's result is exactly the documented JSON")
    func pairResult() async throws {
        let ledger = MemoryLedger()
        let item = try await judge(Self.prefersB(), ledger: ledger).pairRank(try pair())
        #expect(
            item.outcome
                == .completed(
                    resultJSON: #"{"confidence":0.625,"order_sensitive":false,"orders":["#
                        + #"{"confidence":0.5,"order":"first_second","verdict":"second"},"#
                        + #"{"confidence":0.75,"order":"second_first","verdict":"second"}],"#
                        + #""verdict":"second"}"#
                )
        )
        #expect(
            Set(item.judgements) == Set(ledger.all.map(\.fingerprint)) && item.judgements.count == 2
        )
    }

    @Test("one order is asked once")
    func single() async throws {
        let engine = Self.prefersB()
        let item = try await judge(engine) { $0.orders = .single }.pairRank(try pair())
        #expect(
            item.outcome
                == .completed(
                    resultJSON: #"{"confidence":0.5,"order_sensitive":false,"orders":["#
                        + #"{"confidence":0.5,"order":"first_second","verdict":"second"}],"#
                        + #""verdict":"second"}"#
                )
        )
        #expect(engine.counts.chosen == 1 && item.judgements.count == 1)
    }

    @Test("an answer's two texts change places with the order; its picture does not")
    func understanding() async throws {
        let engine = ScriptedEngine(choose: { request in
            #expect(request.prompt.images.count == 1)
            return text(of: request.prompt).contains("Answer 1: good") ? [1, 0, 0] : [0, 1, 0]
        })
        let payload = try ItemPayload(
            json: #"{"question":"q","image":"i","first":"bad","second":"good"}"#.utf8,
            kind: .pairRank,
            task: .imageUnderstanding
        )
        let item = try await judge(engine, task: .imageUnderstanding).pairRank(payload)
        guard case .completed(let json) = item.outcome else {
            Issue.record("expected a result, got \(item.outcome)")
            return
        }
        #expect(json.hasSuffix(#""verdict":"second"}"#))
        #expect(engine.counts.prompts.contains { $0.contains("Answer 2: good") })
    }

    @Test("an order that cannot be answered fails the item: the other alone would be biased")
    func oneOrderFails() async throws {
        let broken = try picture("b").digest
        let engine = ScriptedEngine(choose: { request in
            request.prompt.images[0].digest == broken ? [.nan, 0, 0] : [1, 0, 0]
        })
        let ledger = MemoryLedger()
        let item = try await judge(engine, ledger: ledger).pairRank(try pair())
        guard case .failed(let code, _) = item.outcome else {
            Issue.record("expected a failure, got \(item.outcome)")
            return
        }
        #expect(code == "unparsed" && item.judgements.count == 2)
    }

    @Test("a picture shown in both orders is loaded once")
    func loadsOnce() async throws {
        let media = MemoryMedia()
        _ = try await judge(Self.prefersB(), media: media).pairRank(try pair())
        #expect(media.loaded.count == 2)
        let same = MemoryMedia()
        _ = try await judge(Self.prefersB(), media: same).pairRank(try pair("a", "a"))
        #expect(same.loaded == [.path("a")])
    }

    @Test("a picture that cannot be had fails the item by its path, before anything is asked")
    func missingMedia() async throws {
        let engine = Self.prefersB()
        let media = MemoryMedia(missing: [.path("b")])
        let item = try await judge(engine, media: media).pairRank(try pair())
        #expect(
            item.outcome
                == .failed(
                    code: "media_not_found",
                    message: "second: expected a file, got nothing there."
                )
        )
        #expect(engine.counts.chosen == 0 && item.judgements.isEmpty)
    }

    @Test("of several missing pictures the first of the item is named")
    func severalMissing() async throws {
        let media = MemoryMedia(missing: [.path("a"), .path("b")])
        for _ in 0..<10 {
            let item = try await judge(Self.prefersB(), media: media).pairRank(try pair())
            guard case .failed(_, let message) = item.outcome else {
                Issue.record("expected a failure")
                return
            }
            #expect(message.hasPrefix("first: "))
        }
    }

    @Test("any other error of the media is rethrown for the shard to be tried again")
    func brokenMedia() async throws {
        let media = MemoryMedia(broken: DiskFailure())
        await #expect(throws: DiskFailure.self) {
            try await judge(Self.prefersB(), media: media).pairRank(try pair())
        }
        let cancelled = MemoryMedia(broken: CancellationError())
        await #expect(throws: CancellationError.self) {
            try await judge(Self.prefersB(), media: cancelled).pairRank(try pair())
        }
    }

    @Test("without reuse, another job's answers do not count and the job's own do")
    func withoutReuse() async throws {
        let engine = Self.prefersB()
        let ledger = MemoryLedger()
        _ = try await judge(engine, ledger: ledger).pairRank(try pair())
        #expect(engine.counts.chosen == 2)
        _ = try await judge(engine, ledger: ledger) { $0.reuse = false }.pairRank(try pair())
        #expect(engine.counts.chosen == 4)
        _ = try await judge(engine, ledger: ledger) { $0.reuse = false }.pairRank(try pair())
        #expect(engine.counts.chosen == 4)
    }
}
