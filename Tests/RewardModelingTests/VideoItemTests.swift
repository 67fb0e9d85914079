import Inference
import RewardModeling
import Testing
import VisionPreprocessing

@Suite("Items that show video files")
struct VideoItemTests {
    private static let pair = #"{"caption":"c","first":"a.mp4","second":{"path":"b.mp4"}}"#

    private func judge(
        _ engine: ScriptedEngine,
        media: MemoryMedia = MemoryMedia(),
        ledger: MemoryLedger = MemoryLedger(),
        options: String = "{}",
        json: String = pair
    ) async throws -> JudgedItem {
        let setup = JudgingSetup(
            engine: engine,
            media: media,
            ledger: ledger,
            pack: try QuestionSamples.pack.get(),
            task: .videoGeneration,
            options: try JudgingOptions(json: options.utf8),
            jobScope: "job 1"
        )
        return try await ItemJudge(setup).pairRank(
            try ItemPayload(json: json.utf8, kind: .pairRank, task: .videoGeneration)
        )
    }

    @Test("each video is loaded once and shown in both orders, eight frames of it")
    func pairRank() async throws {
        let media = MemoryMedia()
        let expected = try await media.video(.path("b.mp4"), FrameSampler()).digest
        let engine = ScriptedEngine(choose: { request in
            #expect(request.prompt.images.isEmpty)
            #expect(request.prompt.clips.map(\.frames.count) == [8, 8])
            return request.prompt.clips[0].digest == expected ? [0.75, 0.125, 0.125] : [0, 1, 0]
        })
        let item = try await judge(engine, media: media)
        guard case .completed(let json) = item.outcome else {
            Issue.record("expected a result, got \(item.outcome)")
            return
        }
        #expect(json.hasSuffix(#""verdict":"second"}"#))
        #expect(media.loaded.count == 3 && item.judgements.count == 2)
    }

    @Test("a file and a list of frames can be compared")
    func mixed() async throws {
        let engine = ScriptedEngine(choose: { request in
            #expect(Set(request.prompt.clips.map(\.frames.count)) == [8, 2])
            return [1, 0, 0]
        })
        let json = #"{"caption":"c","first":"a.mp4","second":{"frames":["x","y"]}}"#
        guard case .completed = try await judge(engine, json: json).outcome else {
            Issue.record("expected a result")
            return
        }
    }

    @Test("a missing video fails the item by its path")
    func missing() async throws {
        let media = MemoryMedia(missing: [.path("b.mp4")])
        let engine = ScriptedEngine()
        #expect(
            try await judge(engine, media: media).outcome
                == .failed(
                    code: "media_not_found",
                    message: "second: expected a file, got nothing there."
                )
        )
        #expect(engine.counts.chosen == 0)
    }

    @Test("the same frames are one question, others another, whatever option names them")
    func fingerprints() async throws {
        let ledger = MemoryLedger()
        let engine = ScriptedEngine(choose: { _ in [1, 0, 0] })
        for (options, asked) in [
            ("{}", 2), ("{}", 2), (#"{"sampling":"linspace","frames":8}"#, 2),
            (#"{"sampling":"segments"}"#, 4), (#"{"frames":9}"#, 6), (#"{"sampling":"fps"}"#, 8),
            // Two for each of ten seconds are twenty.
            (#"{"sampling":"fps","frames":20}"#, 8),
        ] {
            _ = try await judge(engine, ledger: ledger, options: options)
            #expect(engine.counts.chosen == asked, "\(options)")
        }
    }

    @Test("a prompt pack says how its models are shown videos, and a job says otherwise")
    func packs() throws {
        let templates = PackSample().pack()
        func pack(_ video: String) throws -> PromptPack {
            try PromptPack(json: Array(templates.replacing("\"templates\"", with: video).utf8))
        }
        #expect(try pack("\"templates\"").sampler == FrameSampler())
        let fps = try pack(#""video": {"sampling": "fps", "frames": 16}, "templates""#)
        #expect(fps.sampler == FrameSampler(rule: .fps, count: 16))
        func sampler(_ options: String, _ pack: PromptPack) throws -> FrameSampler {
            try JudgingOptions(json: options.utf8).sampler(for: pack)
        }
        #expect(try sampler("{}", fps) == fps.sampler)
        #expect(try sampler(#"{"frames":4}"#, fps) == FrameSampler(rule: .fps, count: 4))
        #expect(try sampler(#"{"sampling":"linspace"}"#, fps) == FrameSampler())
        #expect(try pack(#""video": {}, "templates""#).sampler == FrameSampler())
        for (video, sentence) in [
            (
                #"{"frames": 769}"#,
                "video.frames: expected a whole number from 2 to 768, got the number 769"
            ),
            ("7", "video: expected an object, got the number 7"),
            (
                #"{"fps": 2}"#,
                #"video.fps: expected one of "sampling", "frames", got an unknown field"#
            ),
        ] {
            #expect(throws: RewardModelingError.invalidPromptPack(sentence)) {
                try pack("\"video\": \(video), \"templates\"")
            }
        }
    }
}
