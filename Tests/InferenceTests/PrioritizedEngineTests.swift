import Hashing
import Synchronization
import Testing
import Tokenization

@testable import Inference

@Suite("An engine as a job sees it")
struct PrioritizedEngineTests {
    /// Remembers the priorities of what it is asked.
    private final class Recorder: AnswerEngine {
        let modelDigest = SHA256.digest("model".utf8)
        let identity = "recorder"
        let modelDirectory: String? = "/models/recorder"
        let repetitionPenalty = 1.05
        let answersAreShared = false
        let priorities = Mutex<[Int]>([])

        func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
            priorities.withLock { $0.append(request.priority) }
            throw CancellationError()
        }

        func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
            priorities.withLock { $0.append(request.priority) }
            return ChooseResponse(probabilities: [1, 0], promptTokens: 7, seconds: 0.5)
        }
    }

    @Test("asks with the priority of the job and is otherwise the engine itself")
    func priority() async throws {
        let recorder = Recorder()
        let engine = PrioritizedEngine(recorder, priority: -100)
        let prompt = EnginePrompt(content: [.text("question")])
        let answer = try await engine.choose(ChooseRequest(prompt: prompt, choices: ["a", "b"]))
        #expect(answer.probabilities == [1, 0] && answer.promptTokens == 7)
        await #expect(throws: CancellationError.self) {
            try await engine.generate(
                GenerateRequest(prompt: prompt, maximumTokens: 1, priority: 3)
            )
        }
        #expect(recorder.priorities.withLock { $0 } == [-100, -100])
        #expect(engine.modelDigest == recorder.modelDigest && engine.identity == "recorder")
        #expect(engine.modelDirectory == "/models/recorder" && engine.repetitionPenalty == 1.05)
        #expect(!engine.answersAreShared)
    }
}
