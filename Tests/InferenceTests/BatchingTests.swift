import Dispatch
import Synchronization
import Testing
import Tokenization
import Transformer

@testable import Inference

/// The same requests alone and in company give the same bits.
///
/// What breaks silently: an answer that depends on what else the engine was asked, on the blocks its keys
/// lie in, or on what was found instead of computed.
@Suite("Requests in company")
struct BatchingTests {
    /// A request of either kind.
    enum Asked: Sendable {
        case generate(GenerateRequest)
        case choose(ChooseRequest)

        func answer(by engine: Engine, priority: Int = 0) async throws -> String {
            switch self {
            case .generate(var request):
                request.priority = priority
                let response = try await engine.generate(request)
                return "\(response.text) \(response.finishReason) \(response.promptTokens) "
                    + "\(response.generatedTokens)"
            case .choose(var request):
                request.priority = priority
                let response = try await engine.choose(request)
                let bits = response.probabilities.map(\.bitPattern)
                return "\(bits) \(response.promptTokens)"
            }
        }
    }

    @Test(
        "in random company, steps, threads, caches and memory: the bits of being alone",
        arguments: [11, 12, 13, 14, 15, 16] as [UInt64]
    )
    func randomCompany(seed: UInt64) async throws {
        var random = SplitMix(state: seed)
        let requests = try (0..<14).map { _ in try Self.request(&random) }
        let alone = try TinyModel.makeEngine(
            TinyModel.options(visionCacheBytes: 0, prefillRows: 2048, reusesPrefix: false)
        )
        var expected: [String] = []
        for request in requests { expected.append(try await request.answer(by: alone)) }

        for _ in 0..<3 {
            var options = TinyModel.options(
                threads: Int.random(in: 1...3, using: &random),
                contextLimit: 700,
                visionCacheBytes: [0, 30_000, 1 << 20].randomElement(using: &random) ?? 0,
                prefillRows: [1, 3, 16, 50, 64, 100, 256, 300].randomElement(using: &random) ?? 1,
                reusesPrefix: Int.random(in: 0..<4, using: &random) > 0
            )
            options.sequenceLimit = [1, 2, 5, 64].randomElement(using: &random) ?? 64
            options.keyValueBytes = [0, 1 << 20, 1 << 30].randomElement(using: &random) ?? 0
            let engine = try TinyModel.makeEngine(options)
            let order = requests.indices.shuffled(using: &random)
            let priorities = order.map { _ in Int.random(in: 0...2, using: &random) }
            let answers = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for (index, priority) in zip(order, priorities) {
                    let request = requests[index]
                    group.addTask {
                        (index, try await request.answer(by: engine, priority: priority))
                    }
                }
                return try await group.reduce(into: [Int: String]()) { $0[$1.0] = $1.1 }
            }
            for index in requests.indices {
                #expect(answers[index] == expected[index], "seed \(seed), \(index), \(options)")
            }
        }
    }

    @Test("questions asked together compute what they share once")
    func sharedRows() async throws {
        let engine = try TinyModel.makeEngine()
        let rows = RowCounter()
        try await engine.perform { session in
            session.textActivations.observer = { stage, values, width in
                if stage == .inputEmbedding { rows.add(values.count / width) }
            }
        }
        let prompts = try (0..<4).map { try TinyModel.prompt(text: "What of number \($0)?") }
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for prompt in prompts {
                group.addTask {
                    try await engine.choose(ChooseRequest(prompt: prompt, choices: ["a", "b"]))
                        .promptTokens
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        // All but the last few tokens of each prompt are the same.
        #expect(rows.count < counts[0] + 3 * 30)
        #expect(rows.count >= counts[0])
    }

    @Test("a request cancelled in company leaves the others their bits")
    func cancelledInCompany() async throws {
        let engine = try TinyModel.makeEngine(TinyModel.options(prefillRows: 16))
        let prompts = try (1...4).map { try TinyModel.prompt(seed: $0) }
        let request = GenerateRequest(prompt: prompts[0], maximumTokens: 12)
        let fresh = try await TinyModel.makeEngine().generate(request)
        let others = prompts.dropFirst().map { prompt in
            Task { try await engine.generate(GenerateRequest(prompt: prompt, maximumTokens: 400)) }
        }
        let kept = Task { try await engine.generate(request) }
        try await engine.perform { _ in }
        for other in others { other.cancel() }
        for other in others {
            await #expect(throws: InferenceError.cancelled) { try await other.value }
        }
        #expect(try await kept.value.text == fresh.text)
    }

    @Test("an engine that stops ends what it computes and refuses what waits")
    func shutDown() async throws {
        var options = TinyModel.options(prefillRows: 16)
        options.sequenceLimit = 1
        let engine = try TinyModel.makeEngine(options)
        let prompt = try TinyModel.prompt()
        let gate = DispatchSemaphore(value: 0)
        let held = Task { try await engine.perform { _ in gate.wait() } }
        while engine.waitingCount > 0 { await Task.yield() }
        let requests = (0..<3).map { _ in
            Task {
                try await engine.generate(
                    GenerateRequest(prompt: prompt, answerPrefix: "a", maximumTokens: 40),
                    // The first to write something has been let in; the others wait for its place.
                    onText: { _ in engine.shutDown() }
                )
            }
        }
        while engine.waitingCount < 3 { await Task.yield() }
        gate.signal()
        try await held.value
        var ended: [Result<Int, any Error>] = []
        for request in requests {
            ended.append(await request.result.map(\.generatedTokens))
        }
        #expect(ended.count { (try? $0.get()) != nil } == 1)
        let refusals = ended.compactMap { result -> InferenceError? in
            if case .failure(let error) = result { return error as? InferenceError }
            return nil
        }
        #expect(refusals == [.shuttingDown, .shuttingDown])
        engine.join()
    }

    private static func request(_ random: inout SplitMix) throws -> Asked {
        let text =
            ["Which is better?", "Which is it?", "What do you see here, and why?", "?"]
            .randomElement(using: &random) ?? ""
        let images = try (0..<Int.random(in: 0...2, using: &random)).map { _ in
            try TinyModel.image(
                width: 60,
                height: 40,
                seed: UInt64.random(in: 1...2, using: &random)
            )
        }
        let prompt = EnginePrompt(
            content: images.indices.map { .image($0) } + [.text(text)],
            images: images
        )
        if Bool.random(using: &random) {
            return .generate(
                GenerateRequest(
                    prompt: prompt,
                    answerPrefix: ["", "The"].randomElement(using: &random) ?? "",
                    maximumTokens: Int.random(in: 1...20, using: &random)
                )
            )
        }
        let (prefix, choices) =
            ChoosingTests.requests.randomElement(using: &random) ?? ("", ["a", "b"])
        return .choose(ChooseRequest(prompt: prompt, answerPrefix: prefix, choices: choices))
    }
}

/// Counts rows from the engine's thread.
final class RowCounter: Sendable {
    private let rows = Atomic<Int>(0)

    var count: Int { rows.load(ordering: .relaxed) }

    func add(_ count: Int) { rows.add(count, ordering: .relaxed) }
}
