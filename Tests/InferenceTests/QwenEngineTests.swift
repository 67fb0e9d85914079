import FoundationEssentials
import Testing
import Tokenization
import Transformer

@testable import Inference

/// Qwen-VL through the whole engine: planned, encoded, kept, reused; to the same bits in any state of it.
@Suite("Engines of Qwen-VL")
struct QwenEngineTests {
    static let families = ["qwen2_5_vl", "qwen3_vl"]

    @Test(
        "an answer has the same bits fresh, cached, reused, and however prefill is cut",
        arguments: families
    )
    func reproducible(family: String) async throws {
        let a = try TinyModel.image(width: 150, height: 90, seed: 1)
        let b = try TinyModel.image(width: 40, height: 200, seed: 2)
        let clip = try ClipTests.clip([3, 4, 5], width: 70, height: 50)
        let prompts = [
            EnginePrompt(content: [.image(0), .text("Which?")], images: [a]),
            EnginePrompt(content: [.image(0), .image(1), .text("Which?")], images: [a, b]),
            EnginePrompt(content: [.image(1), .image(0), .text("Which?")], images: [a, b]),
            EnginePrompt(
                content: [.image(0), .text(" then "), .video(0), .text("Which?")],
                images: [a],
                clips: [clip]
            ),
        ]
        let choices = ["Image 1 is better", "Image 2 is better", "Both"]
        var answers: [[Double]] = []
        for prompt in prompts {
            let fresh = try await Self.engine(
                family,
                TinyModel.options(visionCacheBytes: 0, prefillRows: 13, reusesPrefix: false)
            ).choose(ChooseRequest(prompt: prompt, choices: choices))
            #expect(abs(fresh.probabilities.reduce(0, +) - 1) < 1e-9)
            answers.append(fresh.probabilities)
        }
        #expect(Set(answers).count == answers.count, "every picture and its place is seen")
        let engine = try Self.engine(family, TinyModel.options(threads: 2))
        for (prompt, answer) in zip(prompts + prompts.reversed(), answers + answers.reversed()) {
            let again = try await engine.choose(ChooseRequest(prompt: prompt, choices: choices))
            #expect(again.probabilities == answer)
        }
    }

    @Test(
        "the rate of a clip moves the places of Qwen2.5-VL and the words of Qwen3-VL",
        arguments: families
    )
    func rates(family: String) throws {
        let session = try Self.blueprint(family).makeSession()
        let frames = try ClipTests.clip([1, 2, 3, 4]).frames
        func input(_ clip: EngineClip) throws -> ModelInput {
            let prompt = EnginePrompt(content: [.video(0), .text("x")], clips: [clip])
            return try session.input(of: session.builder.plan(prompt), prompt: prompt)
        }
        func places(_ input: ModelInput) -> [Int] {
            var places: [Int] = []
            input.forEachPosition(of: 0..<input.count) { places.append($0[0]) }
            return places
        }
        var names = RowKeys()
        func shared(_ a: ModelInput, _ b: ModelInput) -> Int {
            commonPrefixCount(names.keys(of: a)[...], names.keys(of: b)[...])
        }
        let standard = try input(EngineClip(frames: frames))
        let two = try input(EngineClip(frames: frames, framesPerSecond: 2))
        let slow = try input(EngineClip(frames: frames, framesPerSecond: 0.5))
        let ahead = shared(standard, slow)
        #expect(places(standard) == places(two))
        #expect(standard.count <= slow.count && ahead < standard.count)
        if family == "qwen2_5_vl" {
            // 4 seconds from pair to pair are 8 positions, 1 second is 2.
            #expect(places(slow).max().map { $0 > (places(two).max() ?? 0) } == true)
        }
        #expect(shared(standard, two) >= ahead)
    }

    @Test("frames that a clip of Qwen3-VL shares with another are encoded once")
    func sharedPairs() throws {
        let session = try Self.blueprint("qwen3_vl").makeSession()
        func prepare(_ seeds: [UInt64]) throws -> Int {
            let prompt = EnginePrompt(
                content: [.video(0), .text("x")],
                clips: [try ClipTests.clip(seeds)]
            )
            let misses = session.visionCache.misses
            _ = try session.input(of: session.builder.plan(prompt), prompt: prompt)
            return session.visionCache.misses - misses
        }
        #expect(try prepare([1, 2, 3, 4]) == 2)
        #expect(try prepare([1, 2, 5, 6]) == 1)
        #expect(try prepare([1, 2, 1, 2]) == 0)
        #expect(try prepare([1, 2, 2]) == 1, "a last frame without a partner stands for both")
    }

    @Test("identities tell families, conventions and preprocessing apart")
    func identities() throws {
        let all = try Self.families.flatMap { family in
            try VideoConvention.allCases.map { convention in
                var options = TinyModel.options()
                options.convention = convention
                return try EngineBlueprint(
                    directory: TinyModel.goldens + "/\(family)/hf-bf16",
                    options: options
                ).identity
            }
        }
        #expect(Set(all).count == 4)
        #expect(all[0].contains("family=qwen25VL") && all[2].contains("family=qwen3VL"))
        #expect(all[0].contains("pictures=torchvision/3136-75264"))
        #expect(all[2].contains("pictures=torchvision/4096-81920"))
        #expect(all.allSatisfy { $0.contains("template=qwen-vl:") })
    }

    @Test(
        "what cannot be shown is refused by its place, before a pixel is touched",
        arguments: families
    )
    func refusals(family: String) throws {
        let session = try Self.blueprint(family).makeSession()
        func refusal(_ prompt: EnginePrompt) -> String {
            let error = #expect(throws: InferenceError.self) { try session.builder.plan(prompt) }
            #expect(error?.code == "invalid_request")
            return error.map { "\($0)" } ?? ""
        }
        let long = try TinyModel.image(width: 2, height: 402, seed: 1)
        let frames = try ClipTests.clip([1, 2]).frames
        func ask(_ clip: EngineClip) -> EnginePrompt {
            EnginePrompt(content: [.video(0), .text("x")], clips: [clip])
        }
        #expect(
            refusal(EnginePrompt(content: [.image(0)], images: [long]))
                .hasPrefix("images[0]: image: expected a longer side of at most 200 times")
        )
        #expect(refusal(ask(EngineClip(frames: [long]))).hasPrefix("clips[0]: image: expected"))
        #expect(refusal(ask(EngineClip(frames: []))).contains("at least one frame"))
        #expect(refusal(EnginePrompt(content: [.image(1)])).contains("image slot below 0, got 1"))
        for rate in [0, -1, 1e9, .nan, .infinity] {
            #expect(
                refusal(ask(EngineClip(frames: frames, framesPerSecond: rate)))
                    .hasPrefix("clips[0].framesPerSecond: expected a number from 0.01 to 1000")
            )
        }
        for times in [[0], [0, -1], [0, .nan], [0, 1e300]] {
            #expect(
                refusal(ask(EngineClip(frames: frames, times: times)))
                    .hasPrefix("clips[0].times: expected a time from 0")
            )
        }
        #expect(session.visionCache.misses == 0)
    }

    @Test(
        "a picture that fills more than the context is refused with both numbers",
        arguments: families
    )
    func tooLarge(family: String) async throws {
        let engine = try Self.engine(family, TinyModel.options(contextLimit: 64))
        let prompt = EnginePrompt(
            content: [.image(0), .text("x")],
            images: [try TinyModel.image(width: 400, height: 400, seed: 1)]
        )
        await #expect {
            try await engine.generate(GenerateRequest(prompt: prompt, maximumTokens: 4))
        } throws: { error in
            "\(error)".contains("prompt: expected at most 64 tokens")
        }
    }

    @Test("times are written as the reference writes them")
    func words() throws {
        struct Rows: Decodable { let words: [Row] }
        struct Row: Decodable {
            let seconds: Double
            let text: String
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                seconds = try list.decode(Double.self)
                text = try list.decode(String.self)
            }
        }
        let path = TinyModel.goldens + "/preprocess/patches.json"
        let rows = try JSONDecoder().decode(Rows.self, from: Data(contentsOf: URL(filePath: path)))
        #expect(rows.words.count > 150)
        for row in rows.words {
            #expect(ClipTimes.oneDecimal(row.seconds) == row.text, "\(row.seconds)")
        }
    }

    private static func blueprint(_ family: String) throws -> EngineBlueprint {
        try EngineBlueprint(
            directory: TinyModel.goldens + "/\(family)/hf-bf16",
            options: TinyModel.options()
        )
    }

    private static func engine(_ family: String, _ options: EngineOptions) throws -> Engine {
        try TinyModel.makeEngine(options, directory: TinyModel.goldens + "/\(family)/hf-bf16")
    }
}
