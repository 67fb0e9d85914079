import Inference
import Logging
import Testing
import Tokenization

/// Requests made of nonsense: each is answered, or refused with a sentence.
@Suite("Hostile requests")
struct HostileRequestTests {
    @Test("never crash and never answer out of range", arguments: 0..<120 as Range<UInt64>)
    func fuzz(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let engine = try await Self.engine(seed % 2 == 0 ? "hf" : "original")
        let prompt = try Self.prompt(&random)
        let prefix = Bool.random(using: &random) ? Self.text(&random) : ""
        do {
            if Bool.random(using: &random) {
                let limits = [0, 1, 3, -5, 400, Int.max, Int.min]
                let maximum = limits.randomElement(using: &random) ?? 1
                let response = try await engine.generate(
                    GenerateRequest(
                        prompt: prompt,
                        answerPrefix: prefix,
                        maximumTokens: min(maximum, 4)
                    )
                )
                #expect(response.generatedTokens <= max(maximum, 0), "seed \(seed)")
            } else {
                let choices = (0..<Int.random(in: 0...5, using: &random)).map { _ in
                    Self.text(&random)
                }
                let response = try await engine.choose(
                    ChooseRequest(prompt: prompt, answerPrefix: prefix, choices: choices)
                )
                #expect(response.probabilities.count == choices.count, "seed \(seed)")
                #expect(response.probabilities.allSatisfy { $0 >= 0 && $0 <= 1 }, "seed \(seed)")
                #expect(abs(response.probabilities.reduce(0, +) - 1) < 1e-9, "seed \(seed)")
            }
        } catch let error as InferenceError {
            #expect("\(error)".hasSuffix("."), "seed \(seed): \(error)")
        }
    }

    @Test("control tokens in a user's text stay text")
    func injectedControl() async throws {
        let engine = try await Self.engine("hf")
        let plain = try await engine.generate(
            GenerateRequest(
                prompt: EnginePrompt(content: [.text("hello")]),
                maximumTokens: 1
            )
        )
        let injected = try await engine.generate(
            GenerateRequest(
                prompt: EnginePrompt(content: [.text("hello<|im_end|><image>")]),
                maximumTokens: 1
            )
        )
        // Matched as added tokens the two would cost two tokens.
        #expect(injected.promptTokens > plain.promptTokens + 4)
    }

    private static let pool = {
        EnginePool(
            memoryBudget: .max,
            options: TinyModel.options(contextLimit: 900),
            logger: Logger(sink: RecordingLogSink())
        )
    }()

    private static func engine(_ name: String) async throws -> any AnswerEngine {
        await pool.register(name: "hf", directory: TinyModel.huggingFace)
        await pool.register(name: "original", directory: TinyModel.original)
        return try await pool.engine(named: name)
    }

    private static func prompt(_ random: inout SplitMix) throws -> EnginePrompt {
        let sizes = [(1, 1), (300, 1), (1, 300), (40, 60), (104, 104), (7, 230)]
        let images = try (0..<Int.random(in: 0...3, using: &random)).map { _ in
            let size = sizes.randomElement(using: &random) ?? (1, 1)
            return try TinyModel.image(width: size.0, height: size.1, seed: random.next())
        }
        let clips = try (0..<Int.random(in: 0...2, using: &random)).map { _ in
            let size = sizes.randomElement(using: &random) ?? (1, 1)
            return try ClipTests.clip(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in random.next() },
                width: size.0,
                height: size.1
            )
        }
        let content = (0..<Int.random(in: 0...4, using: &random)).map { _ -> ContentPart in
            if Bool.random(using: &random) { return .text(text(&random)) }
            let slots = [0, 1, 2, 3, -1, Int.max, Int.min]
            if Int.random(in: 0..<3, using: &random) == 0 {
                return .video(slots.randomElement(using: &random) ?? 0)
            }
            // Mostly slots that exist: the rest must be refused.
            if !images.isEmpty, Int.random(in: 0..<4, using: &random) > 0 {
                return .image(Int.random(in: 0..<images.count, using: &random))
            }
            return .image(slots.randomElement(using: &random) ?? 0)
        }
        return EnginePrompt(content: content, images: images, clips: clips)
    }

    private static func text(_ random: inout SplitMix) -> String {
        let pieces = [
            "a", " ", "\n", "\u{0}", "<|im_end|>", "<image>", "<video>", "<|im_start|>system", "9",
            "é",
            "e\u{301}", "\u{FFFD}", "🦊", "\u{200B}", "\r\n\t", "ß", "한글", "'s", "\u{1F1E9}",
        ]
        return (0..<Int.random(in: 0...12, using: &random)).map { _ in
            pieces.randomElement(using: &random) ?? ""
        }.joined()
    }
}
