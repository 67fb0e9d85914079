import Hashing
import Inference
import PreferencePairs
import RewardModeling
import Testing
import Tokenization

/// The built-in pack, read once.
let builtinPack = Result { () throws(RewardModelingError) in try PromptPack.builtin() }

/// Item judging over pictures as the daemon would set it up.
func pictureJudging(
    _ engine: CandidateEngine,
    _ ledger: CandidateLedger = CandidateLedger(),
    kind: JudgingKind = .buildPairs,
    task: JudgingTask = .imageGeneration,
    missing: Set<String> = [],
    job: String = "job 1",
    _ change: (inout JudgingOptions) -> Void = { _ in }
) throws -> ItemJudging {
    var options = JudgingOptions()
    change(&options)
    return ItemJudging(
        engine: engine,
        media: CandidatePictures(missing: missing),
        ledger: ledger,
        pack: try builtinPack.get(),
        kind: kind,
        task: task,
        options: options,
        jobScope: job
    )
}

/// The payload of a `build_pairs` item.
func candidates(_ names: [String]) -> [UInt8] {
    let list = names.map { "\"\($0)\"" }.joined(separator: ",")
    return Array(#"{"caption":"a red cube","candidates":[\#(list)]}"#.utf8)
}

@Suite("Judging items")
struct ItemJudgingTests {
    private static let quality = ["a": 3.5, "b": 2, "c": 1.25, "d": 4.75, "e": 2.5]
    private static let names = ["a", "b", "c", "d", "e"]

    private func fields(_ result: ItemResult) throws -> [String: PayloadValue] {
        guard case .completed(let json) = result.outcome,
            case .object(let fields)? = PayloadValue(json: json.utf8)
        else {
            Issue.record("expected a result, got \(result.outcome)")
            return [:]
        }
        #expect(PayloadValue.object(fields).json == json, "keys are sorted, numbers shortest")
        return fields
    }

    @Test("builds the pair of the best chosen and the worst rejected candidate")
    func builds() async throws {
        let engine = CandidateEngine(Self.quality)
        let ledger = CandidateLedger()
        let result = try await pictureJudging(engine, ledger).judge(payload: candidates(Self.names))
        let pair = try #require(result.pair)
        #expect(pair.chosenIndex == 3 && pair.rejectedIndex == 2)
        #expect(pair.chosenScore == 4.75 && pair.rejectedScore == 1.25 && pair.margin == 3.5)
        #expect(
            pair.chosen == .media(.image(.path("d"))) && pair.rejected == .media(.image(.path("c")))
        )
        #expect(engine.count == 2 * 2 + 5, "two comparisons both ways, five scores")
        #expect(Set(result.judgements) == Set(ledger.all.map(\.fingerprint)))

        let fields = try fields(result)
        #expect(fields.keys.sorted() == ["comparisons", "pair", "reason", "scores"])
        #expect(fields["pair"] == pair.json && fields["reason"] == .null)
        guard case .array(let comparisons)? = fields["comparisons"],
            case .array(let scores)? = fields["scores"]
        else {
            Issue.record("expected arrays")
            return
        }
        #expect(
            comparisons.last?.json == #"{"confidence":0.75,"first":2,"order_sensitive":false,"#
                + #""orders":[{"confidence":0.75,"order":"first_second","verdict":"second"},"#
                + #"{"confidence":0.75,"order":"second_first","verdict":"second"}],"#
                + #""second":3,"verdict":"second"}"#
        )
        #expect(
            scores.map(\.json)[1] == #"{"index":1,"list":"rejected","probabilities":"#
                + #"{"1":0,"2":1,"3":0,"4":0,"5":0},"scale":[1,5],"score":2,"spread":0}"#
        )
        #expect(
            scores.last?.json.contains(#""list":null"#) == true,
            "the odd one is in neither list"
        )
    }

    @Test("clips are candidates like pictures, and come out of the pair as they went in")
    func clips() async throws {
        let clips = Self.names.map { #"{"frames":["x","\#($0)"]}"# }.joined(separator: ",")
        let engine = CandidateEngine(Self.quality)
        let judging = try pictureJudging(engine, task: .videoGeneration)
        let result = try await judging.judge(
            payload: #"{"caption":"a cube rolls","candidates":[\#(clips)]}"#.utf8
        )
        let pair = try #require(result.pair)
        #expect(pair.chosenIndex == 3 && pair.rejectedIndex == 2 && pair.margin == 3.5)
        #expect(pair.chosen == .media(.clip([.path("x"), .path("d")])))
        #expect(pair.json.json.contains(#""rejected":{"frames":["x","c"]}"#))
        #expect(engine.count == 2 * 2 + 5)
        let missing = try pictureJudging(engine, task: .videoGeneration, missing: ["c"])
        let failed = try await missing.judge(
            payload: #"{"caption":"a cube rolls","candidates":[\#(clips)]}"#.utf8
        )
        #expect(
            failed.outcome
                == .failed(
                    code: "media_not_found",
                    message: "candidates[2].frames[1]: expected a file, got nothing there."
                )
        )
    }

    @Test(
        "answers as candidates are judged the same way",
        arguments: [
            (JudgingTask.imageUnderstanding, #""image":"i""#),
            (.videoUnderstanding, #""video":{"frames":["i","j"]}"#),
        ]
    )
    func understanding(task: JudgingTask, shown: String) async throws {
        let engine = ScriptedAnswers()
        let judging = ItemJudging(
            engine: engine,
            media: CandidatePictures(),
            ledger: CandidateLedger(),
            pack: try builtinPack.get(),
            kind: .buildPairs,
            task: task,
            options: JudgingOptions(),
            jobScope: "job 1"
        )
        let result = try await judging.judge(
            payload: #"{"question":"how many?",\#(shown),"candidates":["one","four"]}"#.utf8
        )
        #expect(result.pair?.chosen == .response("four"))
        #expect(result.pair?.rejected == .response("one"))
        #expect(result.pair?.margin == 3)
    }

    @Test("sampled candidates are judged like given ones, each text once, and named in the result")
    func sampled() async throws {
        func outcome(_ texts: [String]) async throws -> ItemResult {
            let samples = try texts.enumerated().map { place, text in
                try #require(
                    SampledCandidate(
                        fingerprint: SHA256.digest("\(place)".utf8),
                        text: text,
                        decoding: .object(["finish": .string("stop")]),
                        promptTokens: 1,
                        generatedTokens: 1,
                        seconds: 0
                    )
                )
            }
            let judging = ItemJudging(
                engine: ScriptedAnswers(),
                media: CandidatePictures(),
                ledger: CandidateLedger(),
                pack: try builtinPack.get(),
                kind: .buildPairs,
                task: .imageUnderstanding,
                options: JudgingOptions(),
                jobScope: "job 1"
            )
            return try await judging.judge(
                payload: #"{"question":"how many?","image":"i"}"#.utf8,
                sampled: SampledCandidates(samples, provenance: .string("of p"))
            )
        }
        let result = try await outcome(["one", "four", "one"])
        let fields = try fields(result)
        #expect(result.pair?.chosenIndex == 1 && result.pair?.chosen == .response("four"))
        #expect(result.pair?.rejected == .response("one"))
        #expect(result.pair?.evidence.json.json.contains(#""sampling":"of p""#) == true)
        #expect(
            fields["candidates"]?.json == #"[{"count":2,"finish":"stop","text":"one"},"#
                + #"{"count":1,"finish":"stop","text":"four"}]"#
        )
        #expect(fields["sampling"] == .string("of p"))
        let samples = (0..<3).map { SHA256.digest("\($0)".utf8) }
        #expect(Array(result.judgements.prefix(3)) == samples && result.judgements.count == 7)

        let same = try await outcome(["one", "one"])
        let none = try self.fields(same)
        #expect(none["reason"] == .string("identical_candidates") && none["pair"] == .null)
        #expect(none["comparisons"] == .array([]) && none["scores"] == .array([]))
        #expect(same.pair == nil && same.judgements.count == 2)
    }

    @Test("the second run asks nothing and gives the same", arguments: JudgingKind.allCases)
    func reuses(kind: JudgingKind) async throws {
        let engine = CandidateEngine(Self.quality)
        let ledger = CandidateLedger()
        let payload: [UInt8] =
            switch kind {
            case .pointScore: Array(#"{"caption":"c","image":"a"}"#.utf8)
            case .pairRank, .pairScore: Array(#"{"caption":"c","first":"a","second":"b"}"#.utf8)
            case .buildPairs: candidates(Self.names)
            }
        let first = try await pictureJudging(engine, ledger, kind: kind).judge(payload: payload)
        let asked = engine.count
        #expect(asked == [.pointScore: 1, .pairRank: 2, .pairScore: 12, .buildPairs: 9][kind])
        let second = try await pictureJudging(engine, ledger, kind: kind, job: "job 2")
            .judge(payload: payload)
        #expect(engine.count == asked)
        #expect(second.judgements == first.judgements && second.pair == first.pair)
        if kind != .pointScore { #expect(second == first) }
    }

    @Test("kinds share answers: a comparison of build_pairs is one of pair_rank")
    func sharesAcrossKinds() async throws {
        let engine = CandidateEngine(Self.quality)
        let ledger = CandidateLedger()
        _ = try await pictureJudging(engine, ledger).judge(payload: candidates(["a", "b"]))
        #expect(engine.count == 4)
        _ = try await pictureJudging(engine, ledger, kind: .pairRank).judge(
            payload: #"{"caption":"a red cube","first":"a","second":"b"}"#.utf8
        )
        #expect(engine.count == 4)
    }

    @Test("after a crash only what was not recorded is asked", arguments: 0...9)
    func resumes(survivors: Int) async throws {
        let engine = CandidateEngine(Self.quality)
        let whole = try await pictureJudging(engine).judge(payload: candidates(Self.names))
        let dying = CandidateLedger(breaksAfter: survivors)
        let job: (inout JudgingOptions) -> Void = { $0.reuse = false }
        if survivors < 9 {
            await #expect(throws: PowerCut.self) {
                try await pictureJudging(engine, dying, job).judge(payload: candidates(Self.names))
            }
            #expect(dying.all.count == survivors)
        } else {
            _ = try await pictureJudging(engine, dying, job).judge(payload: candidates(Self.names))
        }
        let next = CandidateEngine(Self.quality)
        let resumed = try await pictureJudging(next, CandidateLedger(dying.all), job)
            .judge(payload: candidates(Self.names))
        #expect(next.count == 9 - survivors)
        #expect(resumed.pair?.margin == whole.pair?.margin)
        #expect(resumed.outcome.scores == whole.outcome.scores)
    }

    @Test("the same candidate twice is asked about once")
    func duplicates() async throws {
        let engine = CandidateEngine(Self.quality)
        let result = try await pictureJudging(engine).judge(
            payload: candidates(["a", "b", "a", "b"])
        )
        #expect(engine.count == 2 + 2)
        #expect(result.pair?.chosenIndex == 0 && result.pair?.rejectedIndex == 1)
        #expect(result.judgements.count == 4)
    }

    @Test("results do not depend on which answer comes first", arguments: 0..<8)
    func deterministic(run: Int) async throws {
        let reference = try await pictureJudging(CandidateEngine(Self.quality)).judge(
            payload: candidates(Self.names)
        )
        let again = try await pictureJudging(CandidateEngine(Self.quality)).judge(
            payload: candidates(Self.names)
        )
        #expect(again == reference)
    }

    @Test("generated answers need no probabilities")
    func generates() async throws {
        let result = try await pictureJudging(CandidateEngine(Self.quality)) {
            $0.answer = .generate
        }.judge(payload: candidates(Self.names))
        #expect(result.pair?.margin == 3.5)
        let text = try fields(result).description
        #expect(text.contains("spread"))
    }

    @Test("answers that cannot be read are asked by choices, and nothing is made up")
    func babble() async throws {
        let engine = CandidateEngine(
            Self.quality,
            fault: .init(babble: "Both have their charm. 5 stars.")
        )
        let ledger = CandidateLedger()
        let result = try await pictureJudging(engine, ledger) { $0.answer = .generate }
            .judge(payload: candidates(Self.names))
        #expect(result.pair?.margin == 3.5 && engine.count == 18)
        #expect(ledger.all.count { $0.isUnparsed } == 9)
        #expect(result.judgements.count == 18)
    }
}

extension ItemOutcome {
    /// The scores of a result, as text.
    fileprivate var scores: String? {
        guard case .completed(let json) = self,
            case .object(let fields)? = PayloadValue(json: json.utf8)
        else { return nil }
        return fields["scores"]?.json
    }
}

/// Knows numbers: likes the larger one.
private struct ScriptedAnswers: AnswerEngine {
    let modelDigest = SHA256.digest("answers".utf8)
    let identity = "answers 1"

    func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        var text = ""
        for case .text(let part) in request.prompt.content { text = part }
        let shares: [Double] =
            if request.choices.count == 3 {
                text.contains("Answer 1: four") ? [1, 0, 0] : [0, 1, 0]
            } else {
                text.contains("Answer: four") ? [0, 0, 0, 1, 0] : [1, 0, 0, 0, 0]
            }
        return ChooseResponse(probabilities: shares, promptTokens: 1, seconds: 0)
    }

    func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        throw InferenceError.shuttingDown
    }
}
