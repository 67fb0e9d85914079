import Inference
import Testing

/// The same request gives the same bits, however it is computed.
///
/// What breaks silently: an answer that depends on what the engine did before. Judgements could then not be
/// recalled, compared, or checked again.
@Suite("Reproducible answers")
struct ReproducibilityTests {
    static let variants = [
        TinyModel.options(threads: 1, prefillRows: 1),
        TinyModel.options(threads: 1, prefillRows: 7),
        TinyModel.options(threads: 2, prefillRows: 64),
        TinyModel.options(threads: 3, prefillRows: 2048),
        TinyModel.options(threads: 2, visionCacheBytes: 0, prefillRows: 64, reusesPrefix: false),
    ]

    @Test("across prefill steps, threads and caches", arguments: variants.indices)
    func everyVariant(index: Int) async throws {
        let reference = try await answers(
            TinyModel.makeEngine(TinyModel.options(prefillRows: 2048))
        )
        let engine = try TinyModel.makeEngine(Self.variants[index])
        #expect(try await answers(engine) == reference)
        // Again, with whatever the engine has kept by now.
        #expect(try await answers(engine) == reference)
    }

    @Test("with the image cache warm, cold and too small", arguments: [1 << 20, 0, 30_000])
    func visionCache(bytes: Int) async throws {
        let engine = try TinyModel.makeEngine(TinyModel.options(visionCacheBytes: bytes))
        let reference = try await answers(engine)
        let other = try TinyModel.prompt(seed: 99)
        _ = try await engine.choose(ChooseRequest(prompt: other, choices: ["1", "2"]))
        #expect(try await answers(engine) == reference)
    }

    @Test("a request that was cancelled half-way leaves nothing behind")
    func afterCancellation() async throws {
        let engine = try TinyModel.makeEngine()
        let fresh = try await answers(TinyModel.makeEngine())
        let request = GenerateRequest(prompt: try TinyModel.prompt(), maximumTokens: 64)
        let canceller = TaskCanceller()
        let task = Task {
            try await engine.generate(request, onText: { _ in canceller.cancel() })
        }
        canceller.target = { task.cancel() }
        await #expect(throws: InferenceError.cancelled) { try await task.value }
        #expect(try await answers(engine) == fresh)
    }

    /// Texts and probabilities of a few requests that share pictures and beginnings.
    private func answers(_ engine: Engine) async throws -> [String] {
        var answers: [String] = []
        for seed in [1, 2, 1] as [UInt64] {
            let prompt = try TinyModel.prompt(seed: seed)
            let text = try await engine.generate(
                GenerateRequest(prompt: prompt, answerPrefix: "The", maximumTokens: 8)
            )
            let choice = try await engine.choose(
                ChooseRequest(prompt: prompt, answerPrefix: "Image ", choices: ["1", "2", "12"])
            )
            answers.append("\(text.text) \(text.finishReason) \(choice.probabilities)")
        }
        return answers
    }
}
