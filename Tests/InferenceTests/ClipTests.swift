import FoundationEssentials
import Hashing
import Testing
import Tokenization
import Transformer
import VisionPreprocessing

@testable import Inference

/// Clips through the engine: counted, resized, encoded, kept and reused.
@Suite("Clips")
struct ClipTests {
    @Test("the engine's own path gives the reference's tokens, features and logits")
    func golden() throws {
        let golden = try GoldenCase(
            directory: TinyModel.goldens + "/llava_ov/golden",
            name: "video8"
        )
        let session = try Self.session()
        let frames = try golden.record.videoFrames.map { name in
            EngineImage(digest: SHA256.digest(name.utf8), image: try TinyModel.picture(name))
        }
        let prompt = EnginePrompt(
            content: [
                .video(0), .text("The video shows a cat walking slowly. Temporal coherence?"),
            ],
            clips: [EngineClip(frames: frames)]
        )
        let plan = try session.builder.plan(prompt)
        let videoID = try #require(session.builder.tokenizer.id(ofAddedToken: "<video>"))
        let ids = plan.tokens.flatMap { token -> [Int32] in
            if case .id(let id) = token { return [id] }
            return Array(repeating: videoID, count: plan.visuals[0].tokens)
        }
        #expect(ids == golden.record.inputIDs)
        #expect(plan.count == ids.count && plan.visualTokens == ids.count { $0 == videoID })

        let input = try session.input(of: plan, prompt: prompt)
        let features = input.pieces.compactMap { piece -> ImageFeatures? in
            if case .image(let features, _) = piece { return features }
            return nil
        }
        let expected = try #require(golden.floats("video_features"))
        #expect(features.count == 1 && features[0].values.count == expected.count)
        #expect(largestDifference(features[0].values, expected) < ParityMeter.featureTolerance)

        let logits = SingleSequence(session).advance(to: input)
        let last = try #require(golden.floats("logits_last"))
        #expect(largestDifference(Array(logits), last) < ParityMeter.logitTolerance)
        #expect(try Sampler.greedy(logits) == golden.record.genIDs.first)
    }

    @Test(
        "the original code's frames: a picture each, unpooled, with the reference's tokens and answer"
    )
    func originalFrames() async throws {
        let golden = try GoldenCase(
            directory: TinyModel.goldens + "/llava_ov/golden",
            name: "orig_frames4"
        )
        var options = TinyModel.options()
        // The golden's scripts squash frames to this side where UnifiedReward's have 512.
        options.frameSide = 128
        let session = try EngineBlueprint(directory: TinyModel.original, options: options)
            .makeSession()
        let frames = try golden.record.videoFrames.map { name in
            EngineImage(digest: SHA256.digest(name.utf8), image: try TinyModel.picture(name))
        }
        let prompt = EnginePrompt(
            content: [
                .video(0), .text("The video shows a cat walking slowly. Temporal coherence?"),
            ],
            clips: [EngineClip(frames: frames)]
        )
        let plan = try session.builder.plan(prompt)
        let ids = plan.tokens.map { token -> Int32 in
            if case .id(let id) = token { id } else { -200 }
        }
        #expect(ids == golden.record.inputIDs)
        #expect(plan.visuals.map(\.tokens) == [49, 49, 49, 49])
        let sources = (0..<4).map { PlannedVisual.Source.frame(clip: 0, index: $0) }
        #expect(plan.visuals.map(\.source) == sources)

        let input = try session.input(of: plan, prompt: prompt)
        let features = input.pieces.flatMap { piece -> [Float] in
            if case .image(let features, _) = piece { features.values } else { [] }
        }
        let expected = try #require(golden.floats("image_features"))
        #expect(largestDifference(features, expected) < ParityMeter.featureTolerance)
        let logits = SingleSequence(session).advance(to: input)
        let last = try #require(golden.floats("logits_last"))
        #expect(largestDifference(Array(logits), last) < ParityMeter.logitTolerance)

        // A frame that two clips share is encoded once, and each clip's frames follow the other's.
        let engine = try TinyModel.makeEngine(options, directory: TinyModel.original)
        let both = EnginePrompt(
            content: [.video(0), .video(1), .text("Which is better?")],
            clips: [EngineClip(frames: frames), EngineClip(frames: Array(frames.reversed()))]
        )
        let slots = try session.builder.plan(both)
        #expect(slots.visuals.count == 8)
        _ = try await engine.generate(GenerateRequest(prompt: both, maximumTokens: 1))
        #expect(try await engine.perform { session in session.visionCache.misses } == 4)
    }

    @Test("encoding frame by frame gives the bits of encoding all at once")
    func frameByFrame() throws {
        let session = try Self.session()
        let clip = try Self.clip([1, 2, 3], width: 60, height: 90)
        let processed = try Self.llava(session).family.videoProcessor.tiles(
            of: clip.frames.map(\.image)
        )
        let whole = try Self.llava(session).model.encodeImage(
            ImageTiles(
                tileCount: 3,
                pixels: processed.normalized(),
                packing: .pooledFrames(count: 3)
            ),
            activations: Self.llava(session).activations,
            pool: session.pool,
            interrupt: {}
        )
        let features = try Self.features(of: clip, session)
        #expect(features.tokens == whole.tokens)
        #expect(features.values.map(\.bitPattern) == whole.values.map(\.bitPattern))
    }

    @Test("a frame that is shown again is encoded once")
    func repeatedFrames() throws {
        let session = try Self.session()
        var encoded = 0
        session.visualEncoder.observer = { stage, _, _ in
            if stage == .projector { encoded += 1 }
        }
        defer { session.visualEncoder.observer = nil }
        let still = try Self.features(of: Self.clip([7, 7, 7, 8, 7]), session)
        #expect(encoded == 2)
        let rows =
            try Self.llava(session).model.packing.pooledSide
            * Self.llava(session).model.packing.pooledSide
        let frame = rows * still.hidden
        #expect(still.tokens == 5 * rows + 1)
        #expect(still.values[..<frame] == still.values[frame..<2 * frame])
        #expect(still.values[..<frame] != still.values[3 * frame..<4 * frame])
    }

    @Test("a question over two clips: counted, answered, and the same in any state of the engine")
    func twoClips() async throws {
        let prompts = try [[0, 1], [1, 0]].map { order in
            EnginePrompt(
                content: [.video(order[0]), .video(order[1]), .text("Which is better?")],
                clips: [try Self.clip([1, 2, 3]), try Self.clip([4, 5], width: 20, height: 90)]
            )
        }
        let plan = try Self.session().builder.plan(prompts[0])
        let side = try Self.llava(Self.session()).model.packing.pooledSide
        #expect(plan.visuals.map(\.tokens) == [3 * side * side + 1, 2 * side * side + 1])
        #expect(plan.visuals.map(\.source) == [.clip(0), .clip(1)])
        #expect(plan.count == plan.tokens.count - 2 + plan.visualTokens)

        let choices = ["Video 1", "Video 2", "Both"]
        var answers: [[Double]] = []
        for prompt in prompts {
            let fresh = try await TinyModel.makeEngine(
                TinyModel.options(visionCacheBytes: 0, prefillRows: 17, reusesPrefix: false)
            ).choose(ChooseRequest(prompt: prompt, choices: choices))
            #expect(abs(fresh.probabilities.reduce(0, +) - 1) < 1e-9)
            answers.append(fresh.probabilities)
        }
        #expect(answers[0] != answers[1], "the order is seen")

        let engine = try TinyModel.makeEngine()
        for (prompt, answer) in zip(prompts + prompts, answers + answers) {
            let again = try await engine.choose(ChooseRequest(prompt: prompt, choices: choices))
            #expect(again.probabilities == answer)
            #expect(again.promptTokens >= plan.count)
        }
        let (misses, hits) = try await engine.perform { session in
            (session.visionCache.misses, session.visionCache.hits)
        }
        // The third and fourth time the keys and values are there, and no features are wanted.
        #expect(misses == 2 && hits == 2)
    }

    @Test("keys and values of a clip serve the next question about it, without its features")
    func prefixReuse() async throws {
        let engine = try TinyModel.makeEngine(TinyModel.options(visionCacheBytes: 0))
        let clip = try Self.clip([1, 2])
        let rows = RowCounter()
        try await engine.perform { session in
            session.textActivations.observer = { stage, values, width in
                if stage == .inputEmbedding { rows.add(values.count / width) }
            }
        }
        func ask(_ text: String) async throws -> Int {
            let prompt = EnginePrompt(content: [.video(0), .text(text)], clips: [clip])
            return try await engine.choose(ChooseRequest(prompt: prompt, choices: ["a", "b"]))
                .promptTokens
        }
        let first = try await ask("What happens?")
        #expect(rows.count == first)
        let second = try await ask("Who is it?")
        let clipRows = try Self.llava(Self.session()).model.packing.tokenCount(
            of: .pooledFrames(count: 2)
        )
        #expect(rows.count < first + second - clipRows)
        #expect(rows.count > first)
        let encoded = try await engine.perform { session in session.visionCache.misses }
        #expect(encoded == 1)
    }

    @Test("a clip is named by its frames in their order, and is no image")
    func digests() throws {
        let (a, b, c) = (
            try TinyModel.image(width: 4, height: 4, seed: 1),
            try TinyModel.image(width: 4, height: 4, seed: 2),
            try TinyModel.image(width: 4, height: 4, seed: 3)
        )
        let clips = [[a, b], [b, a], [a], [a, b, c], [a, a, b], []].map { EngineClip(frames: $0) }
        #expect(Set(clips.map(\.digest) + [a.digest]).count == clips.count + 1)
        #expect(EngineClip(frames: [a, b]).digest == clips[0].digest)
    }

    @Test("what cannot be shown is refused with a sentence")
    func refusals() async throws {
        let session = try Self.session(contextLimit: 200)
        let clip = try Self.clip([1, 2])
        func refusal(_ prompt: EnginePrompt) -> InferenceError? {
            #expect(throws: InferenceError.self) { try session.builder.plan(prompt) }
        }
        let slot = refusal(EnginePrompt(content: [.video(1)], clips: [clip]))
        #expect("\(slot.map { "\($0)" } ?? "")".contains("a video slot below 1, got 1"))
        let image = refusal(EnginePrompt(content: [.image(0)], clips: [clip]))
        #expect("\(image.map { "\($0)" } ?? "")".contains("an image slot below 0, got 0"))
        let empty = refusal(EnginePrompt(content: [.video(0)], clips: [EngineClip(frames: [])]))
        #expect("\(empty.map { "\($0)" } ?? "")".hasPrefix("clips[0]: expected at least one frame"))
        #expect([slot, image, empty].allSatisfy { $0?.code == "invalid_request" })

        let long = EnginePrompt(
            content: [.video(0)],
            clips: [try Self.clip(Array(repeating: 1, count: 64))]
        )
        let engine = try TinyModel.makeEngine(TinyModel.options(contextLimit: 200))
        let error = await #expect(throws: InferenceError.self) {
            try await engine.generate(GenerateRequest(prompt: long, maximumTokens: 1))
        }
        #expect(error?.code == "prompt_too_long")
        let misses = try await engine.perform { session in session.visionCache.misses }
        #expect(misses == 0, "refused before a frame is looked at")
    }

    @Test("a model whose chat template has no place for clips refuses them by name")
    func templateWithoutVideos() throws {
        let builder = try Self.session().builder
        let source =
            "{% for message in messages %}<|im_start|>user"
            + "{% for content in message['content'] %}"
            + "{% if content['type'] == 'image' %}<image>"
            + "{% elif content['type'] == 'text' %}{{ content['text'] }}{% endif %}"
            + "{% endfor %}<|im_end|>{% endfor %}<|im_start|>assistant"
        let directory = FileManager.default.temporaryDirectory.path + "/clip-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data(source.utf8).write(to: URL(filePath: directory + "/chat_template.jinja"))
        let images = InputBuilder(
            tokenizer: builder.tokenizer,
            template: try ChatTemplate.read(directory: directory, modelType: "llava_onevision"),
            family: builder.family,
            vocabularySize: builder.vocabularySize
        )
        let prompt = EnginePrompt(content: [.video(0), .text("x")], clips: [try Self.clip([1])])
        let error = #expect(throws: InferenceError.self) { try images.plan(prompt) }
        #expect(error?.code == "invalid_request")
        #expect("\(error.map { "\($0)" } ?? "")".contains("has no place for videos"))
        let picture = try TinyModel.prompt()
        #expect(try images.plan(picture).visuals.count == 1)
    }

    private static func session(contextLimit: Int = 2048) throws -> EngineSession {
        try EngineBlueprint(
            directory: TinyModel.huggingFace,
            options: TinyModel.options(contextLimit: contextLimit)
        ).makeSession()
    }

    private static func llava(_ session: EngineSession) throws -> LlavaEncoder {
        try #require(session.visualEncoder as? LlavaEncoder)
    }

    /// A clip of made-up frames; equal seeds, equal frames.
    static func clip(_ seeds: [UInt64], width: Int = 48, height: Int = 32) throws -> EngineClip {
        EngineClip(
            frames: try seeds.map { try TinyModel.image(width: width, height: height, seed: $0) }
        )
    }

    private static func features(
        of clip: EngineClip,
        _ session: EngineSession
    ) throws -> ImageFeatures {
        let prompt = EnginePrompt(content: [.video(0)], clips: [clip])
        let input = try session.input(of: session.builder.plan(prompt), prompt: prompt)
        for case .image(let features, _) in input.pieces { return features }
        throw InferenceError.invalidRequest("no clip in the input")
    }
}

private func largestDifference(_ left: [Float], _ right: [Float]) -> Double {
    guard left.count == right.count else { return .infinity }
    return zip(left, right).map { Double(abs($0 - $1)) }.max() ?? 0
}
