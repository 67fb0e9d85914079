import Inference
import Synchronization
import Testing

@testable import RewardModeling

@Suite("Items judged by several criteria")
struct CriteriaItemTests {
    @Test("a pair's result holds each criterion with its scale, and the mean decides")
    func pairScore() async throws {
        let engine = ScriptedEngine(generate: { request in
            // The first shown gets more, as a model with a position bias would say, but for style.
            let isSwapped = request.prompt.images.first?.digest == (try picture("b")).digest
            let style = isSwapped ? ("0.2", "0.8") : ("0.8", "0.2")
            return "Alignment Score:\n Image 1: 0.6\n Image 2: 0.4\n\nCoherence Score:\n "
                + "Image 1: 0.5\n Image 2: 0.5\n\nStyle Score:\n Image 1: \(style.0)\n "
                + "Image 2: \(style.1)"
        })
        let item = try await judge(engine) { $0.answer = .generate }.pairScore(try pair())
        let result = try result(of: item)
        #expect(result["verdict"] == .string("first"))
        #expect(result["order_sensitive"] == .bool(false))
        #expect(
            result["criteria"]?.json == """
                [{"first":0.5,"name":"alignment","scale":[0,1],"second":0.5},\
                {"first":0.5,"name":"coherence","scale":[0,1],"second":0.5},\
                {"first":0.8,"name":"style","scale":[0,1],"second":0.2}]
                """
        )
        #expect(result["scale"]?.json == "[0,1]")
        #expect(engine.counts.generated == 2)
    }

    @Test("orders that disagree are a tie, whatever the numbers")
    func orderSensitive() async throws {
        let engine = ScriptedEngine(generate: { _ in
            ["Alignment", "Coherence", "Style"].map {
                "\($0) Score:\n Image 1: 0.9\n Image 2: 0.1"
            }.joined(separator: "\n\n")
        })
        let item = try await judge(engine) { $0.answer = .generate }.pairScore(try pair())
        let result = try result(of: item)
        #expect(result["verdict"] == .string("tie"))
        #expect(result["order_sensitive"] == .bool(true))
        #expect(result["first"] == .number(0.5))
    }

    @Test("choices walk over the answer's numbers, each after the most probable one before")
    func walk() async throws {
        let prefixes = Mutex<[String]>([])
        let engine = ScriptedEngine(choose: { request in
            prefixes.withLock { $0.append(request.answerPrefix) }
            return [0, 0, 0.25, 0.75, 0]
        })
        let ledger = MemoryLedger()
        let item = try await judge(engine, ledger: ledger) {
            $0.templates = ["image_generation/point_score/criteria"]
        }.pointScore(try point())
        #expect(
            prefixes.withLock { $0 } == [
                "Alignment Score (1-5): ",
                "Alignment Score (1-5): 4\nCoherence Score (1-5): ",
                "Alignment Score (1-5): 4\nCoherence Score (1-5): 4\nStyle Score (1-5): ",
            ]
        )
        let result = try result(of: item)
        #expect(result["score"] == .number(3.75))
        #expect(
            result["criteria"]?.json == """
                [{"name":"alignment","scale":[1,5],"score":3.75},\
                {"name":"coherence","scale":[1,5],"score":3.75},\
                {"name":"style","scale":[1,5],"score":3.75}]
                """
        )
        let recorded = try #require(ledger.all.first)
        #expect(ledger.all.count == 1)
        #expect(
            recorded.rawResponse
                == "Alignment Score (1-5): 4\nCoherence Score (1-5): 4\nStyle Score (1-5): 4"
        )
        #expect(recorded.criteria.count == 3)
        let again = try await judge(engine, ledger: ledger) {
            $0.templates = ["image_generation/point_score/criteria"]
        }.pointScore(try point())
        #expect(try self.result(of: again)["criteria"] == result["criteria"])
        #expect(engine.counts.chosen == 3)
    }

    @Test("an answer without one criterion is asked again by choices, and nan stays no value")
    func unparsed() async throws {
        let engine = ScriptedEngine(
            choose: { _ in [.nan, 0, 0, 0, 0] },
            generate: { _ in
                "Alignment Score (1-5): 3\nCoherence Score (1-5): 4\nStyle Score (1-5): nan"
            }
        )
        let ledger = MemoryLedger()
        let item = try await judge(engine, ledger: ledger) {
            $0.answer = .generate
            $0.templates = ["image_generation/point_score/criteria"]
        }.pointScore(try point())
        guard case .failed(let code, let message) = item.outcome else {
            Issue.record("expected a failure, got \(item.outcome)")
            return
        }
        #expect(code == "unparsed")
        #expect(message.contains("Style Score (1-5)"))
        #expect(ledger.all.map(\.verdict) == [.unparsed, .unparsed])
        #expect(ledger.all.allSatisfy { $0.score == nil && $0.criteria.isEmpty })
    }

    @Test("an edit is shown its source first, its quality is judged without")
    func editing() async throws {
        let engine = ScriptedEngine(generate: { _ in #"{"reasoning": "ok", "score": [20, 15]}"# })
        let payload = try ItemPayload(
            json: #"{"instruction":"make it red","source":"s","edited":"e"}"#.utf8,
            kind: .pointScore,
            task: .imageEditing
        )
        for (templates, pictures, mentions) in [
            ([String](), 2, true), (["image_editing/point_score/quality"], 1, false),
        ] {
            let setup = try setup(engine, task: .imageEditing) {
                $0.answer = .generate
                $0.templates = templates
            }
            guard
                case .success(let questions) = try await setup.questions(
                    about: payload,
                    asking: [.pointScore]
                )
            else {
                Issue.record("expected questions")
                return
            }
            let question = try questions.pointScore(candidate: 0)
            #expect(question.images.count == pictures)
            #expect(question.images.last?.digest == (try picture("e")).digest)
            #expect(text(of: question.prompt).contains("make it red") == mentions)
            let item = try await ItemJudge(setup).pointScore(payload)
            #expect(try result(of: item)["score"] == .number(17.5))
        }
    }

    @Test("pair_score is not for answers, and editing items have their own fields")
    func refusals() {
        #expect(throws: RewardModelingError.self) {
            try ItemPayload(
                json: #"{"question":"q","image":"i","first":"a","second":"b"}"#.utf8,
                kind: .pairScore,
                task: .imageUnderstanding
            )
        }
        #expect(throws: RewardModelingError.self) {
            try ItemPayload(
                json: #"{"caption":"c","first":"a","second":"b"}"#.utf8,
                kind: .pairRank,
                task: .imageEditing
            )
        }
    }

    // MARK: - Support

    private func setup(
        _ engine: ScriptedEngine,
        ledger: MemoryLedger = MemoryLedger(),
        task: JudgingTask = .imageGeneration,
        _ change: (inout JudgingOptions) -> Void
    ) throws -> JudgingSetup {
        var options = JudgingOptions()
        change(&options)
        return JudgingSetup(
            engine: engine,
            media: MemoryMedia(),
            ledger: ledger,
            pack: try QuestionSamples.pack.get(),
            task: task,
            options: options,
            jobScope: "job 1"
        )
    }

    private func judge(
        _ engine: ScriptedEngine,
        ledger: MemoryLedger = MemoryLedger(),
        _ change: (inout JudgingOptions) -> Void
    ) throws -> ItemJudge {
        ItemJudge(try setup(engine, ledger: ledger, change))
    }

    private func pair() throws -> ItemPayload {
        try ItemPayload(
            json: #"{"caption":"c","first":"a","second":"b","label":"first"}"#.utf8,
            kind: .pairScore,
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

    private func result(of item: JudgedItem) throws -> [String: PayloadValue] {
        guard case .completed(let json) = item.outcome,
            case .object(let fields)? = PayloadValue(json: json.utf8)
        else {
            Issue.record("expected a result, got \(item.outcome)")
            return [:]
        }
        return fields
    }
}
