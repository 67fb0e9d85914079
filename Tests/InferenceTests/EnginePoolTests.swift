import Hashing
import Inference
import Logging
import Testing

@Suite("Engine pool")
struct EnginePoolTests {
    @Test("a model asked for many times at once is loaded once")
    func concurrentLoads() async throws {
        let sink = RecordingLogSink()
        let pool = await makePool(budget: .max, sink: sink)
        let digests = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 {
                group.addTask { try await pool.engine(named: "hf").modelDigest.hex }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(digests.count == 1)
        #expect(sink.count("model loaded") == 1)
    }

    @Test("an idle model makes room for another")
    func eviction() async throws {
        let sink = RecordingLogSink()
        let pool = await makePool(budget: try budgetForOne(), sink: sink)
        _ = try await pool.engine(named: "hf").identity
        _ = try await pool.engine(named: "original").identity
        #expect(try await pool.engine(named: "original").modelDirectory == TinyModel.original)
        #expect(sink.count("model unloaded") == 1)
        _ = try await pool.engine(named: "hf").identity
        #expect(sink.count("model loaded") == 3)
        #expect(await pool.bytesInUse <= (try budgetForOne()))
    }

    @Test("a model in use is not taken away: the next waits until it is given back")
    func waiting() async throws {
        let sink = RecordingLogSink()
        let pool = await makePool(budget: try budgetForOne(), sink: sink)
        var held: (any AnswerEngine)? = try await pool.engine(named: "hf")
        let waiter = Task { try await pool.engine(named: "original").identity }
        let prompt = try TinyModel.prompt()
        _ = try await held?.generate(GenerateRequest(prompt: prompt, maximumTokens: 2))
        #expect(sink.count("model unloaded") == 0)
        held = nil
        _ = try await waiter.value
        #expect(sink.count("model unloaded") == 1)
    }

    @Test("a caller that waits for memory can be cancelled")
    func cancelledWait() async throws {
        let pool = await makePool(budget: try budgetForOne(), sink: RecordingLogSink())
        let held = try await pool.engine(named: "hf")
        let waiter = Task { try await pool.engine(named: "original") }
        waiter.cancel()
        await #expect(throws: InferenceError.cancelled) { try await waiter.value }
        #expect(!held.identity.isEmpty)
    }

    @Test("a model over the whole budget is refused with both numbers")
    func tooLarge() async throws {
        let pool = await makePool(budget: 1000, sink: RecordingLogSink())
        let error = await #expect(throws: InferenceError.self) {
            try await pool.engine(named: "hf")
        }
        guard case .modelTooLarge(let needed, let available) = error else {
            Issue.record("expected modelTooLarge, got \(String(describing: error))")
            return
        }
        #expect(available == 1000)
        #expect(needed > 1000)
        let sentence = "\(InferenceError.modelTooLarge(needed: needed, available: available))"
        #expect(sentence.contains("1000") && sentence.contains("\(needed)"))
    }

    @Test("an unknown name is answered with the known ones")
    func unknownName() async throws {
        let pool = await makePool(budget: .max, sink: RecordingLogSink())
        await #expect(
            throws: InferenceError.unknownModel(
                name: "gpt",
                known: ["broken", "hf", "original"]
            )
        ) { try await pool.engine(named: "gpt") }
    }

    @Test("a load that fails is tried once for all who wait, and again for the next")
    func brokenModel() async throws {
        let sink = RecordingLogSink()
        let pool = await makePool(budget: .max, sink: sink)
        let codes = await withTaskGroup(of: String.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    do {
                        _ = try await pool.engine(named: "broken")
                        return "loaded"
                    } catch {
                        return (error as? InferenceError)?.code ?? "\(error)"
                    }
                }
            }
            return await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(codes == ["model_unusable"])
        #expect(await pool.bytesInUse == 0)
    }

    @Test("after shutting down nothing is loaded")
    func shutDown() async throws {
        let pool = await makePool(budget: .max, sink: RecordingLogSink())
        _ = try await pool.engine(named: "hf").identity
        await pool.shutDown()
        #expect(await pool.bytesInUse == 0)
        await #expect(throws: InferenceError.shuttingDown) {
            try await pool.engine(named: "hf")
        }
    }

    private func makePool(budget: Int, sink: RecordingLogSink) async -> EnginePool {
        let pool = EnginePool(
            memoryBudget: budget,
            options: TinyModel.options(contextLimit: 512),
            logger: Logger(sink: sink)
        )
        await pool.register(name: "hf", directory: TinyModel.huggingFace)
        await pool.register(name: "original", directory: TinyModel.original)
        await pool.register(name: "broken", directory: TinyModel.goldens + "/media")
        return pool
    }

    /// Enough for either model, not for both.
    private func budgetForOne() throws -> Int {
        let options = TinyModel.options(contextLimit: 512)
        let sizes = try [TinyModel.huggingFace, TinyModel.original].map {
            try EngineBlueprint(directory: $0, options: options).byteCount
        }
        return (sizes.max() ?? 0) + 1000
    }
}
