import Inference
import RewardModeling
import Testing
import Tokenization

@Suite("Items that show clips")
struct ClipItemTests {
    private func judge(
        _ engine: ScriptedEngine,
        media: MemoryMedia = MemoryMedia(),
        task: JudgingTask = .videoGeneration
    ) throws -> ItemJudge {
        ItemJudge(
            JudgingSetup(
                engine: engine,
                media: media,
                ledger: MemoryLedger(),
                pack: try QuestionSamples.pack.get(),
                task: task,
                options: JudgingOptions(),
                jobScope: "job 1"
            )
        )
    }

    private func payload(
        _ json: String,
        _ kind: JudgingKind = .pairRank,
        _ task: JudgingTask = .videoGeneration
    ) throws -> ItemPayload {
        try ItemPayload(json: json.utf8, kind: kind, task: task)
    }

    private static let pair =
        #"{"caption":"c","first":{"frames":["a","b","c"]},"second":{"frames":["d","a"]}}"#

    @Test("two clips are compared in both orders, each with its frames in order")
    func pairRank() async throws {
        let favourite = EngineClip(frames: try ["d", "a"].map(picture)).digest
        let other = EngineClip(frames: try ["a", "b", "c"].map(picture)).digest
        let engine = ScriptedEngine(choose: { request in
            #expect(request.prompt.images.isEmpty)
            #expect(request.prompt.content.prefix(2) == [.video(0), .video(1)])
            #expect(request.choices[0] == "Video 1 is better than Video 2.")
            let digests = request.prompt.clips.map(\.digest)
            #expect(Set(digests) == [favourite, other])
            return digests[0] == favourite ? [0.75, 0.125, 0.125] : [0.25, 0.5, 0.25]
        })
        let item = try await judge(engine).pairRank(try payload(Self.pair))
        guard case .completed(let json) = item.outcome else {
            Issue.record("expected a result, got \(item.outcome)")
            return
        }
        #expect(json.hasSuffix(#""verdict":"second"}"#) && json.contains(#""confidence":0.625"#))
        #expect(item.judgements.count == 2)
    }

    @Test("a clip is scored, and so is an answer about one")
    func pointScore() async throws {
        let engine = ScriptedEngine(choose: { request in
            #expect(request.prompt.clips.count == 1 && request.prompt.clips[0].frames.count == 2)
            return [0, 0, 0, 1, 0]
        })
        let frames = #"{"frames":["a","b"]}"#
        for (task, json) in [
            (JudgingTask.videoGeneration, #"{"caption":"c","video":\#(frames)}"#),
            (.videoUnderstanding, #"{"question":"q","video":\#(frames),"response":"r"}"#),
        ] {
            let item = try await judge(engine, task: task).pointScore(
                try payload(json, .pointScore, task)
            )
            guard case .completed(let json) = item.outcome else {
                Issue.record("expected a result, got \(item.outcome)")
                return
            }
            #expect(json.contains(#""score":4"#))
        }
    }

    @Test("two answers change places with the order; the clip they are about does not")
    func understanding() async throws {
        let engine = ScriptedEngine(choose: { request in
            #expect(request.prompt.clips.count == 1)
            return text(of: request.prompt).contains("Answer 1: good") ? [1, 0, 0] : [0, 1, 0]
        })
        let item = try await judge(engine, task: .videoUnderstanding).pairRank(
            try payload(
                #"{"question":"q","video":{"frames":["a","b"]},"first":"bad","second":"good"}"#,
                .pairRank,
                .videoUnderstanding
            )
        )
        guard case .completed(let json) = item.outcome else {
            Issue.record("expected a result, got \(item.outcome)")
            return
        }
        #expect(json.hasSuffix(#""verdict":"second"}"#))
    }

    @Test("a frame that several clips show is loaded once")
    func loadsOnce() async throws {
        let media = MemoryMedia()
        _ = try await judge(ScriptedEngine(), media: media).pairRank(try payload(Self.pair))
        #expect(media.loaded.count == 4 && Set(media.loaded).count == 4)
    }

    @Test(
        "a missing frame fails the item by the frame's path",
        arguments: [("c", "first.frames[2]"), ("d", "second.frames[0]"), ("a", "first.frames[0]")]
    )
    func missingFrame(name: String, path: String) async throws {
        let engine = ScriptedEngine()
        let media = MemoryMedia(missing: [.path(name)])
        let item = try await judge(engine, media: media).pairRank(try payload(Self.pair))
        #expect(
            item.outcome
                == .failed(
                    code: "media_not_found",
                    message: "\(path): expected a file, got nothing there."
                )
        )
        #expect(engine.counts.chosen == 0)
    }

    @Test("a missing frame of the clip asked about is found under video")
    func missingContextFrame() async throws {
        let media = MemoryMedia(missing: [.path("b")])
        let item = try await judge(ScriptedEngine(), media: media, task: .videoUnderstanding)
            .pairRank(
                try payload(
                    #"{"question":"q","video":{"frames":["a","b"]},"first":"x","second":"y"}"#,
                    .pairRank,
                    .videoUnderstanding
                )
            )
        guard case .failed(_, let message) = item.outcome else {
            Issue.record("expected a failure, got \(item.outcome)")
            return
        }
        #expect(message.hasPrefix("video.frames[1]: "))
    }

    @Test("pictures that together are over the limit fail the item, whatever comes first")
    func tooLarge() async throws {
        let item = try payload(Self.pair)
        for missing in [[], [MediaReference.path("d")]] as [Set<MediaReference>] {
            let media = MemoryMedia(missing: missing)
            // Four pictures of 3 bytes, or three.
            let limit = missing.isEmpty ? 11 : 8
            let result = try await ItemMedia.load(item, from: media, maximumByteCount: limit)
            guard case .failure(let error) = result else {
                Issue.record("expected a failure")
                return
            }
            #expect(error.failure.code == "media_too_large")
            #expect(error.failure.message.contains("at most \(limit) bytes"))
        }
        let fitting = try await ItemMedia.load(item, from: MemoryMedia(), maximumByteCount: 12)
        #expect(throws: Never.self) { try fitting.get() }
    }
}
