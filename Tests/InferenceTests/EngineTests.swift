import Dispatch
import Logging
import Testing
import Tokenization
import Transformer
import VisionPreprocessing

@testable import Inference

@Suite("Engine")
struct EngineTests {
    @Test("streams the text it returns, without the forced start")
    func streaming() async throws {
        let engine = try TinyModel.makeEngine()
        let pieces = TextCollector()
        let response = try await engine.generate(
            GenerateRequest(
                prompt: try TinyModel.prompt(),
                answerPrefix: "Hello",
                maximumTokens: 12
            )
        ) { pieces.append($0) }
        #expect(pieces.text == response.text)
        #expect(!response.text.hasPrefix("Hello"))
        #expect(response.generatedTokens <= 12)
        #expect(response.seconds > 0)
    }

    @Test("refuses a prompt that does not fit before it looks at a pixel")
    func promptTooLong() async throws {
        let engine = try TinyModel.makeEngine(TinyModel.options(contextLimit: 120))
        let images = [
            try TinyModel.image(width: 200, height: 200, seed: 1),
            try TinyModel.image(width: 200, height: 200, seed: 2),
        ]
        let prompt = EnginePrompt(
            content: [.image(0), .image(1), .text("Which is better?")],
            images: images
        )
        let error = await #expect(throws: InferenceError.self) {
            try await engine.generate(GenerateRequest(prompt: prompt, maximumTokens: 10))
        }
        guard case .promptTooLong(let needed, let limit, let imageTokens) = error else {
            Issue.record("expected promptTooLong, got \(String(describing: error))")
            return
        }
        #expect(limit == 120)
        #expect(imageTokens == 100)
        #expect(needed > 120)
        #expect(error?.code == "prompt_too_long")
        #expect(
            "\(InferenceError.promptTooLong(needed: 9, limit: 8, imageTokens: 7))".contains("9")
        )
        let misses = try await engine.perform { session in session.visionCache.misses }
        #expect(misses == 0)
    }

    @Test(
        "room for the answer counts",
        arguments: [(1, true), (1_000_000, false), (Int.max, false)]
    )
    func answerRoom(maximumTokens: Int, fits: Bool) async throws {
        let engine = try TinyModel.makeEngine(TinyModel.options(contextLimit: 400))
        let request = GenerateRequest(
            prompt: try TinyModel.prompt(),
            maximumTokens: maximumTokens
        )
        if fits {
            let response = try await engine.generate(request)
            #expect(response.finishReason == .length || response.generatedTokens == 0)
        } else {
            let error = await #expect(throws: InferenceError.self) {
                try await engine.generate(request)
            }
            #expect(error?.code == "prompt_too_long")
        }
    }

    @Test("a request that waits is cancelled at once; the one that runs goes on")
    func cancelledInQueue() async throws {
        let engine = try TinyModel.makeEngine()
        let (hasStarted, mayEnd) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
        let running = Task {
            try await engine.perform { _ in
                hasStarted.continuation.finish()
                mayEnd.wait()
                return 1
            }
        }
        for await _ in hasStarted.stream {}
        let prompt = try TinyModel.prompt()
        let waiting = Task {
            try await engine.generate(GenerateRequest(prompt: prompt, maximumTokens: 1))
        }
        waiting.cancel()
        await #expect(throws: InferenceError.cancelled) { try await waiting.value }
        mayEnd.signal()
        #expect(try await running.value == 1)
    }

    @Test("a task already cancelled is refused")
    func alreadyCancelled() async throws {
        let engine = try TinyModel.makeEngine()
        let prompt = try TinyModel.prompt()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await engine.choose(ChooseRequest(prompt: prompt, choices: ["a", "b"]))
        }
        await #expect(throws: InferenceError.cancelled) { try await task.value }
    }

    @Test("cancellation stops the vision tower and the prefill before the next layer")
    func cancelledInside() async throws {
        let engine = try TinyModel.makeEngine(TinyModel.options(prefillRows: 16))
        let prompt = try TinyModel.prompt()
        for stage in [0, 1] {
            let canceller = TaskCanceller()
            let isReady = DispatchSemaphore(value: 0)
            let (vision, text) = (RowCounter(), RowCounter())
            try await engine.perform { session in
                session.visualEncoder.observer = { _, _, _ in
                    vision.add(1)
                    if vision.count == 1 { isReady.wait() }
                    if stage == 0 { canceller.cancel() }
                }
                session.textActivations.observer = { _, _, _ in
                    text.add(1)
                    if text.count == 6 { canceller.cancel() }
                }
            }
            let task = Task {
                try await engine.generate(GenerateRequest(prompt: prompt, maximumTokens: 4))
            }
            canceller.target = { task.cancel() }
            isReady.signal()
            await #expect(throws: InferenceError.cancelled) { try await task.value }
            // Taken in only when the step that was broken off is over.
            try await engine.perform { _ in }
            #expect(stage == 0 ? vision.count == 1 && text.count == 0 : text.count == 6)
        }
    }

    @Test("an engine that stops refuses what comes after")
    func shutDown() async throws {
        let engine = try TinyModel.makeEngine()
        engine.shutDown()
        engine.join()
        let prompt = try TinyModel.prompt()
        await #expect(throws: InferenceError.shuttingDown) {
            try await engine.generate(GenerateRequest(prompt: prompt, maximumTokens: 1))
        }
    }

    @Test("requests are answered in the order they came")
    func order() async throws {
        let engine = try TinyModel.makeEngine()
        let seen = TextCollector()
        let gate = DispatchSemaphore(value: 0)
        let first = Task { try await engine.perform { _ in gate.wait() } }
        while engine.waitingCount > 0 { await Task.yield() }
        var later: [Task<Void, any Error>] = []
        for index in 0..<5 {
            later.append(Task { try await engine.perform { _ in seen.append("\(index)") } })
            while engine.waitingCount < index + 1 && seen.text.isEmpty { await Task.yield() }
        }
        gate.signal()
        try await first.value
        for task in later { try await task.value }
        #expect(seen.text.count == 5)
    }

    @Test("its identity names what decides the numbers, and differs between the two namings")
    func identity() throws {
        let converted = try TinyModel.makeEngine()
        let original = try TinyModel.makeEngine(directory: TinyModel.original)
        for part in [
            "template=", "layout=", "mean=0.5,0.5,0.5", "numerics=", "tiles=104/max9",
            "video=torchvision/pooled2:",
        ] {
            #expect(converted.identity.contains(part))
        }
        #expect(converted.identity != original.identity)
        #expect(converted.modelDirectory == TinyModel.huggingFace)
        #expect(converted.modelDigest != original.modelDigest)
        #expect(try TinyModel.makeEngine().modelDigest == converted.modelDigest)
    }

    @Test("says that it loaded, with seconds and bytes")
    func loadIsLogged() throws {
        let sink = RecordingLogSink()
        _ = try Engine(
            directory: TinyModel.huggingFace,
            threads: 1,
            contextLimit: 128,
            visionCacheBytes: 0,
            logger: Logger(sink: sink)
        )
        let line = sink.last("model loaded")
        #expect(line?["model.load.seconds"] != nil)
        #expect(line?["model.bytes"] != nil)
    }

    @Test("a directory that is no checkpoint is refused with a sentence")
    func notACheckpoint() {
        let error = #expect(throws: InferenceError.self) {
            try TinyModel.makeEngine(directory: TinyModel.goldens + "/media")
        }
        #expect(error?.code == "model_unusable")
        #expect("\(error.map { "\($0)" } ?? "")".contains("config.json"))
    }
}
