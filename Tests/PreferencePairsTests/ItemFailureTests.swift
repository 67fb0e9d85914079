import Hashing
import Inference
import PreferencePairs
import RewardModeling
import Testing

@Suite("When an item cannot be judged")
struct ItemFailureTests {
    private static let quality = ["a": 3.5, "b": 2, "c": 1.25, "d": 4.75]
    private static let names = ["a", "b", "c", "d"]

    private func code(_ result: ItemResult) -> String? {
        if case .failed(let code, _) = result.outcome { return code }
        return nil
    }

    @Test("a payload of the wrong shape fails by its path, and nothing is asked")
    func payload() async throws {
        let engine = CandidateEngine(Self.quality)
        let result = try await pictureJudging(engine).judge(
            payload: #"{"caption":"c","candidates":["a",null]}"#.utf8
        )
        #expect(
            result.outcome
                == .failed(
                    code: "invalid_item",
                    message:
                        #"candidates[1]: expected a string or an object with "#
                        + #""path" or "media", got null"#
                )
        )
        #expect(engine.count == 0)
    }

    @Test("a missing picture fails by its path")
    func media() async throws {
        let result = try await pictureJudging(CandidateEngine(Self.quality), missing: ["c"])
            .judge(payload: candidates(Self.names))
        #expect(
            result.outcome
                == .failed(
                    code: "media_not_found",
                    message: "candidates[2]: expected a file, got nothing there."
                )
        )
    }

    @Test("a candidate whose score fails is left out and noted")
    func oneScore() async throws {
        let engine = CandidateEngine(
            Self.quality,
            fault: .init(failure: { names, isComparison in
                if !isComparison, names == ["d"] {
                    throw InferenceError.promptTooLong(needed: 9, limit: 8, imageTokens: 4)
                }
            })
        )
        let result = try await pictureJudging(engine).judge(payload: candidates(Self.names))
        #expect(result.pair?.chosenIndex == 0 && result.pair?.rejectedIndex == 2)
        guard case .completed(let json) = result.outcome else {
            Issue.record("expected a result")
            return
        }
        #expect(json.contains(#"{"error":{"code":"prompt_too_long","message":"#))
        #expect(json.contains(#""index":3,"list":"chosen"}"#))
    }

    @Test("a comparison that fails leaves the others to decide")
    func oneComparison() async throws {
        let engine = CandidateEngine(Self.quality, fault: .init(undefined: ["d"]))
        let result = try await pictureJudging(engine).judge(payload: candidates(Self.names))
        #expect(result.pair?.chosenIndex == 0 && result.pair?.rejectedIndex == 1)
    }

    @Test(
        "prompts that are all too long fail the item by that name",
        arguments: JudgingKind.allCases
    )
    func tooLong(kind: JudgingKind) async throws {
        let engine = CandidateEngine(
            Self.quality,
            fault: .init(failure: { _, _ in
                throw InferenceError.promptTooLong(needed: 9214, limit: 8192, imageTokens: 8000)
            })
        )
        let payload: [UInt8] =
            switch kind {
            case .pointScore: Array(#"{"caption":"c","image":"a"}"#.utf8)
            case .pairRank, .pairScore: Array(#"{"caption":"c","first":"a","second":"b"}"#.utf8)
            case .buildPairs: candidates(Self.names)
            }
        let result = try await pictureJudging(engine, kind: kind).judge(payload: payload)
        guard case .failed(let code, let message) = result.outcome else {
            Issue.record("expected a failure, got \(result.outcome)")
            return
        }
        #expect(code == "prompt_too_long")
        #expect(message.contains("9214") && message.contains("8192"))
    }

    @Test(
        "probabilities that are none are unparsed, the judgements kept",
        arguments: [true, false]
    )
    func unparsed(generates: Bool) async throws {
        let engine = CandidateEngine(
            Self.quality,
            fault: .init(babble: "?", undefined: Set(Self.names))
        )
        let ledger = CandidateLedger()
        let result = try await pictureJudging(engine, ledger) {
            $0.answer = generates ? .generate : .choices
        }.judge(payload: candidates(Self.names))
        #expect(code(result) == "unparsed")
        #expect(result.judgements.count == (generates ? 16 : 8))
        #expect(ledger.all.allSatisfy { $0.isUnparsed && $0.score == nil })
    }

    @Test("an engine that is stopping is not the item's fault")
    func shutdown() async throws {
        let engine = CandidateEngine(
            Self.quality,
            fault: .init(failure: { _, _ in throw InferenceError.shuttingDown })
        )
        await #expect(throws: InferenceError.self) {
            try await pictureJudging(engine).judge(payload: candidates(Self.names))
        }
    }

    @Test("a cancelled task throws CancellationError, whatever its item")
    func cancelled() async throws {
        let judging = try pictureJudging(CandidateEngine(Self.quality))
        let (gate, open) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            for await _ in gate { break }
            return try await judging.judge(payload: candidates(Self.names))
        }
        task.cancel()
        open.finish()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("failures drawn at random never make a wrong pair", arguments: 0..<60 as Range<UInt64>)
    func storm(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let count = Int.random(in: 2...9, using: &random)
        let names = (0..<count).map { "picture \($0)" }
        var quality: [String: Double] = [:]
        for name in names { quality[name] = Double(Int.random(in: 4...20, using: &random)) / 4 }
        let broken = Set(names.filter { _ in Int.random(in: 0..<4, using: &random) == 0 })
        let engine = CandidateEngine(
            quality,
            fault: .init(failure: { shown, isComparison in
                if !isComparison, broken.contains(shown[0]) {
                    throw InferenceError.promptTooLong(needed: 9, limit: 8, imageTokens: 1)
                }
            })
        )
        let result = try await pictureJudging(engine).judge(payload: candidates(names))
        guard let pair = result.pair else { return }
        let chosen = names[pair.chosenIndex]
        let rejected = names[pair.rejectedIndex]
        #expect(!broken.contains(chosen) && !broken.contains(rejected), "seed \(seed)")
        #expect(pair.chosenScore == quality[chosen], "seed \(seed)")
        #expect(pair.margin == (quality[chosen] ?? 0) - (quality[rejected] ?? 0), "seed \(seed)")
        #expect(pair.margin > 0, "seed \(seed)")
        let partner = pair.chosenIndex ^ 1
        #expect((quality[names[partner]] ?? 9) < (quality[chosen] ?? 0), "seed \(seed)")
    }
}
