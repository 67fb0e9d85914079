import FoundationEssentials
import Hashing
import Inference
import Logging
import RewardModeling
import Testing
import Tokenization
import VisionPreprocessing

/// A whole question over two clips, from payload to verdict, on the tiny checkpoint.
@Suite("Questions over clips, with a real engine")
struct ClipQuestionTests {
    private static let checkpoint =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/Goldens/llava_ov/hf-bf16"

    private static func engine() throws -> Engine {
        try Engine(
            directory: checkpoint,
            threads: 1,
            contextLimit: 2048,
            visionCacheBytes: 1 << 20,
            logger: Logger(level: .error)
        )
    }

    private func judge(
        _ json: String,
        _ engine: Engine,
        _ ledger: MemoryLedger
    ) async throws -> JudgedItem {
        let setup = JudgingSetup(
            engine: engine,
            media: DrawnFrames(),
            ledger: ledger,
            pack: try QuestionSamples.pack.get(),
            task: .videoGeneration,
            options: JudgingOptions(),
            jobScope: "job 1"
        )
        let payload = try ItemPayload(json: json.utf8, kind: .pairRank, task: .videoGeneration)
        return try await ItemJudge(setup).pairRank(payload)
    }

    @Test("both orders are asked over all frames, and exchanging the clips exchanges the answers")
    func wholeQuestion() async throws {
        let first = #"{"frames":["0","1","2","3"]}"#
        let second = #"{"frames":["9","8","7"]}"#
        let engine = try Self.engine()
        let ledger = MemoryLedger()
        let item = try await judge(
            #"{"caption":"a ball rolls","first":\#(first),"second":\#(second)}"#,
            engine,
            ledger
        )
        guard case .completed = item.outcome else {
            Issue.record("expected a result, got \(item.outcome)")
            return
        }
        #expect(ledger.all.count == 2 && item.judgements.count == 2)
        #expect(Set(ledger.all.compactMap(\.order)) == Set(PresentationOrder.allCases))
        for judgement in ledger.all {
            #expect(judgement.task == .videoGeneration && judgement.verdict != nil)
            #expect(abs(judgement.probabilities.values.reduce(0, +) - 1) < 1e-9)
            #expect(judgement.promptTokens > 4 * 9 + 3 * 9)
        }

        let mirror = MemoryLedger()
        _ = try await judge(
            #"{"caption":"a ball rolls","first":\#(second),"second":\#(first)}"#,
            try Self.engine(),
            mirror
        )
        func shares(_ ledger: MemoryLedger, _ order: PresentationOrder) -> [String: Double]? {
            ledger.all.first { $0.order == order }?.probabilities
        }
        let shown = try #require(shares(ledger, .firstSecond))
        let mirrored = try #require(shares(mirror, .secondFirst))
        #expect(shown["first"] == mirrored["second"] && shown["second"] == mirrored["first"])
        #expect(shown["tie"] == mirrored["tie"])
    }

    @Test("a pack may show each frame as a picture, which is another question")
    func pictures() throws {
        let source = String(decoding: PackageSource.builtin, as: UTF8.self)
        let packs = try [
            source,
            source.replacing(
                #""id": "video_generation/pair_rank","#,
                with: #""id": "video_generation/pair_rank", "clips": "pictures","#
            ),
        ].map { try PromptPack(json: $0.utf8) }
        func clip(_ names: [String]) throws -> EngineClip {
            EngineClip(
                frames: try names.map {
                    EngineImage(
                        digest: SHA256.digest($0.utf8),
                        image: try RGBImage(width: 1, height: 1, pixels: [0, 0, 0])
                    )
                }
            )
        }
        let clips = [try clip(["a", "b"]), try clip(["c", "d", "e"])]
        let questions = try packs.map {
            JudgementQuestion(
                template: try $0.template(.videoGeneration, .pairRank),
                order: .firstSecond,
                texts: [.caption: "c"],
                clips: clips
            )
        }
        #expect(questions[0].template.clips == .videos)
        #expect(questions[0].prompt.content.prefix(2) == [.video(0), .video(1)])
        #expect(questions[1].template.clips == .pictures)
        let shown = questions[1].prompt
        let frames = (0..<5).map { ContentPart.image($0) }
        #expect(Array(shown.content.prefix(5)) == frames && shown.clips.isEmpty)
        #expect(shown.content.count == 6)
        #expect(
            shown.images.map(\.digest) == ["a", "b", "c", "d", "e"].map { SHA256.digest($0.utf8) }
        )
        let engine = try Self.engine()
        let prints = questions.map {
            $0.fingerprint(engine: engine, decoding: .choices, scope: nil)
        }
        #expect(prints[0] != prints[1])
    }

    @Test("the same frames in another order are another question with another answer")
    func frameOrder() async throws {
        let engine = try Self.engine()
        let ledger = MemoryLedger()
        for frames in [#"["0","1","2"]"#, #"["2","1","0"]"#] {
            _ = try await judge(
                #"{"caption":"c","first":{"frames":\#(frames)},"second":{"frames":["5","6"]}}"#,
                engine,
                ledger
            )
        }
        #expect(Set(ledger.all.map(\.fingerprint)).count == 4)
        let shown = ledger.all.filter { $0.order == .firstSecond }.map(\.probabilities)
        #expect(shown.count == 2 && shown[0] != shown[1])
    }
}

/// Frames drawn from the number in their name.
private struct DrawnFrames: MediaProvider {
    func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage {
        guard case .path(let name) = reference, let number = Int(name) else { throw MissingMedia() }
        let pixels = (0..<40 * 30 * 3).map { UInt8(truncatingIfNeeded: $0 * (number + 3) / 7) }
        return EngineImage(
            digest: SHA256.digest(name.utf8),
            image: try RGBImage(width: 40, height: 30, pixels: pixels)
        )
    }
}
