import Inference
import RewardModeling
import Testing
import VisionPreprocessing

@Suite("Templates say how media are shown")
struct MediaViewTests {
    /// A pair of videos by eight frames of equal parts, each video by sixteen, prepared in other ways.
    private static let pack = #"""
        {"name": "views", "video": {"sampling": "fps", "frames": 20}, "templates": [
          {"id": "pair", "task": "video_generation", "kind": "pair_rank",
           "media": ["first", "second"], "text": "{caption}", "answer_grammar": "better_statement",
           "answer_prefix": "", "video": {"sampling": "segments"}, "prepare": [{"jpeg": 95}],
           "choices": [{"text": "Video 1 is better.", "verdict": "first"},
                       {"text": "Video 2 is better.", "verdict": "second"}]},
          {"id": "point", "task": "video_generation", "kind": "point_score",
           "media": ["video"], "text": "{caption}", "answer_grammar": "final_score",
           "answer_prefix": "Final Score: ", "scale": [1, 2],
           "video": {"sampling": "segments", "frames": 16}, "max_new_tokens": 300,
           "prepare": [{"jpeg": 95}, {"jpeg": 95}],
           "choices": [{"text": "1", "value": 1}, {"text": "2", "value": 2}]},
          {"id": "usual", "task": "video_generation", "kind": "point_score",
           "media": ["video"], "text": "{caption}", "answer_grammar": "final_score",
           "answer_prefix": "Final Score: ", "scale": [1, 2],
           "prepare": [{"resize": [512, 256]}, {"fit": "qwen_vl_utils"}],
           "choices": [{"text": "1", "value": 1}, {"text": "2", "value": 2}]}
        ]}
        """#

    private func setup(
        _ engine: ScriptedEngine,
        _ media: MemoryMedia,
        options: String = "{}"
    ) throws -> JudgingSetup {
        JudgingSetup(
            engine: engine,
            media: media,
            ledger: MemoryLedger(),
            pack: try PromptPack(json: Self.pack.utf8),
            task: .videoGeneration,
            options: try JudgingOptions(json: options.utf8),
            jobScope: "job 1"
        )
    }

    @Test("a job goes before a template, a template before its pack; a number goes with its rule")
    func precedence() throws {
        let pack = try PromptPack(json: Self.pack.utf8)
        func sampler(_ id: String, _ options: String = "{}") throws -> FrameSampler {
            let template = try #require(pack.templates.first { $0.id == id })
            return try JudgingOptions(json: options.utf8).view(of: template, in: pack).sampler
        }
        #expect(try sampler("pair") == FrameSampler(rule: .segments, count: 8))
        #expect(try sampler("point") == FrameSampler(rule: .segments, count: 16))
        #expect(try sampler("usual") == FrameSampler(rule: .fps, count: 20))
        #expect(try sampler("pair", #"{"frames":5}"#) == FrameSampler(rule: .segments, count: 5))
        let linspace = FrameSampler(rule: .linspace, count: 8)
        #expect(try sampler("point", #"{"sampling":"linspace"}"#) == linspace)
        let segments = FrameSampler(rule: .segments, count: 16)
        #expect(try sampler("point", #"{"sampling":"segments"}"#) == segments)
        #expect(try sampler("usual", #"{"frames":768}"#) == FrameSampler(rule: .fps))
        let steps = pack.templates.map(\.preparation.steps)
        #expect(
            steps == [
                [.jpeg(quality: 95)], [.jpeg(quality: 95), .jpeg(quality: 95)],
                [.resize(width: 512, height: 256), .fit],
            ]
        )
        #expect(Set(pack.templates.map(\.digest)).count == 3)
    }

    @Test("each question of an item shows its own template's frames, loaded once for both orders")
    func items() async throws {
        let payload = try ItemPayload(
            json: #"{"caption":"c","candidates":["a.mp4","b.mp4"]}"#.utf8,
            kind: .buildPairs,
            task: .videoGeneration
        )
        let media = MemoryMedia()
        let setup = try setup(ScriptedEngine(), media)
        let loaded = try await setup.questions(about: payload, asking: [.pairRank, .pointScore])
        let questions = try loaded.get()
        let pair = try questions.pairRank(first: 0, second: 1, order: .firstSecond)
        #expect(pair.clips.map(\.frames.count) == [8, 8])
        let point = try questions.pointScore(candidate: 1)
        #expect(point.clips.map(\.frames.count) == [16])
        // Two videos in two views.
        #expect(media.loaded.count == 4)
        let once = PicturePreparation([.jpeg(quality: 95)])
        #expect(
            pair.clips[0].digest
                == (try await media.video(
                    .path("a.mp4"),
                    MediaView(sampler: FrameSampler(rule: .segments), preparation: once)
                )).digest
        )
    }

    @Test("a template says how long its answers may be, and a job goes before it")
    func lengths() async throws {
        let payload = try ItemPayload(
            json: #"{"caption":"c","candidates":["a.mp4","b.mp4"]}"#.utf8,
            kind: .buildPairs,
            task: .videoGeneration
        )
        for (options, pairs, points) in [
            (#"{"answer":"generate"}"#, 512, 300),
            (#"{"answer":"generate","max_new_tokens":77}"#, 77, 77),
        ] {
            let setup = try setup(ScriptedEngine(), MemoryMedia(), options: options)
            let questions = try await setup.questions(
                about: payload,
                asking: [.pairRank, .pointScore]
            ).get()
            let pair = try questions.pairRank(first: 0, second: 1, order: .firstSecond)
            let point = try questions.pointScore(candidate: 1)
            #expect(pair.longestAnswer == pairs && point.longestAnswer == points)
            for (question, tokens) in [(pair, pairs), (point, points)] {
                let engine = ScriptedEngine(generate: { request in
                    #expect(request.maximumTokens == tokens)
                    return "Video 1 is better. Final Score: 2"
                })
                let batch = QuestionBatch(
                    engine: engine,
                    ledger: MemoryLedger(),
                    decoding: .generate(maximumTokens: 9),
                    scope: nil
                )
                let outcome = try await batch.ask([question])[0]
                guard case .answered(let judged) = outcome else {
                    Issue.record("expected an answer")
                    return
                }
                #expect(judged.answer.decoding?.json.contains("\"max_tokens\":\(tokens)") == true)
            }
        }
    }

    @Test("frames of a list are prepared as frames of a clip of so many")
    func lists() async throws {
        let payload = try ItemPayload(
            json: #"{"caption":"c","video":{"frames":["x","y","z"]}}"#.utf8,
            kind: .pointScore,
            task: .videoGeneration
        )
        let media = MemoryMedia()
        let setup = try setup(ScriptedEngine(), media, options: #"{"templates":["usual"]}"#)
        let questions = try await setup.questions(about: payload, asking: [.pointScore]).get()
        let clip = try questions.pointScore(candidate: 0).clips[0]
        let preparation = PicturePreparation([.resize(width: 512, height: 256), .fit])
        var digests: [EngineImage] = []
        for name in ["x", "y", "z"] {
            digests.append(try await media.image(.path(name), preparation.forFrames(of: 3)))
        }
        #expect(clip.frames.map(\.digest) == digests.map(\.digest))
        #expect(clip.frames[0].digest != (try await media.image(.path("x"), preparation)).digest)
    }

    @Test(
        "a fault in how media are shown is named by its path",
        arguments: [
            (#""video": 3"#, "templates[0].video: expected an object, got the number 3"),
            (
                #""video": {"frames": 1}"#,
                "templates[0].video.frames: expected a whole number from 2 to 768, got the number 1"
            ),
            (
                #""video": {"rate": 1}"#,
                #"templates[0].video.rate: expected one of "sampling", "frames", got an unkn"#
            ),
            (
                #""max_new_tokens": 5000"#,
                "templates[0].max_new_tokens: expected a whole number from 1 to 4096, got the number"
            ),
            (#""prepare": []"#, "templates[0].prepare: expected an array of 1 to 8 steps"),
            (
                #""prepare": {"jpeg": 95}"#,
                "templates[0].prepare: expected an array of 1 to 8 steps"
            ),
            (#""prepare": [{"jpeg": 101}]"#, "templates[0].prepare[0]: expected {"),
            (#""prepare": [{"jpeg": 95.5}]"#, "templates[0].prepare[0]: expected {"),
            (#""prepare": [{"jpeg": 95, "fit": "x"}]"#, "templates[0].prepare[0]: expected {"),
            (#""prepare": [{"fit": "other"}]"#, #"got {"fit":"other"}"#),
            (#""prepare": [{"resize": [512]}]"#, "templates[0].prepare[0]: expected {"),
            (#""prepare": [{"resize": [0, 512]}]"#, "templates[0].prepare[0]: expected {"),
            (#""prepare": [{"jpeg": 9}, "blur"]"#, "templates[0].prepare[1]: expected {"),
            (
                #""clips": "pictures", "prepare": [{"fit": "qwen_vl_utils"}]"#,
                "templates[0].prepare[0].fit: expected no sizes of clips where clips are shown as "
            ),
        ]
    )
    func refused(fields: String, sentence: String) throws {
        let source = Self.pack.replacing(
            #""video": {"sampling": "segments"}, "prepare": [{"jpeg": 95}],"#,
            with: fields + ","
        )
        let error = #expect(throws: RewardModelingError.self) {
            try PromptPack(json: Array(source.utf8))
        }
        let message = error?.message ?? ""
        #expect(message.contains(sentence), "\(message)")
    }

    @Test("templates of pictures have no frames to choose")
    func pictures() throws {
        var sample = PackSample()
        sample["video"] = .object(["frames": .number(4)])
        let error = #expect(throws: RewardModelingError.self) { try sample.template() }
        let message = error?.message ?? ""
        #expect(
            message.contains("templates[0].video: expected nothing for a task of pictures"),
            "\(message)"
        )
    }
}
