import Foundation
import Inference
import Testing
import Tokenization

@testable import RemoteInference

/// A real server, where `REWARDD_TEST_CHAT_SERVER` names one, such as `http://127.0.0.1:8000/v1`.
/// `Tests/Goldens/make_chat_model.py` makes a tiny model for llama-cpp-python and says how to serve it.
@Suite(
    "A real server",
    .enabled(if: ProcessInfo.processInfo.environment["REWARDD_TEST_CHAT_SERVER"] != nil)
)
struct RealServerTests {
    private func model(
        _ change: (inout RemoteEngineOptions) -> Void = { _ in }
    ) throws -> RemoteModel {
        let url = ProcessInfo.processInfo.environment["REWARDD_TEST_CHAT_SERVER"] ?? ""
        return try RemoteBench.model(url) {
            $0.prefill = .auto
            $0.pictures = .auto
            $0.timeout = .seconds(60)
            change(&$0)
        }
    }

    @Test("answers the same question with the same words, as many as it was allowed")
    func generates() async throws {
        let engine = try await model().engine()
        let request = GenerateRequest(
            prompt: EnginePrompt(content: [.text("How good is it?")]),
            maximumTokens: 6
        )
        let first = try await engine.generate(request)
        let second = try await engine.generate(request)
        #expect(first.text == second.text)
        #expect(first.generatedTokens <= 6 && first.promptTokens > 0)
    }

    @Test("either weighs the answers or says why it cannot")
    func chooses() async throws {
        let engine = try await model().engine()
        let request = ChooseRequest(
            prompt: EnginePrompt(content: [.text("Which?")]),
            answerPrefix: "Score: ",
            choices: ["1", "2", "3"]
        )
        do {
            let response = try await engine.choose(request)
            #expect(abs(response.probabilities.reduce(0, +) - 1) < 1e-9)
        } catch let refusal as RemoteRefusal {
            #expect(refusal.code == "remote_choices")
            #expect(refusal.message.contains("--option answer=generate"))
        }
    }

    @Test("tells token probabilities that sum to no more than 1")
    func tellsProbabilities() async throws {
        let model = try model { $0.prefill = .yes }
        let engine = try await model.engine()
        do {
            let response = try await engine.choose(
                ChooseRequest(
                    prompt: EnginePrompt(content: [.text("Which?")]),
                    choices: ["a", "b"]
                )
            )
            #expect(abs(response.probabilities.reduce(0, +) - 1) < 1e-9)
        } catch let refusal as RemoteRefusal {
            // Random weights hardly ever prefer an allowed answer by far; old versions tell probabilities in
            // another form.
            let reasons = ["tokens told", "the probabilities of tokens, got none"]
            #expect(reasons.contains { refusal.message.contains($0) }, "\(refusal)")
        }
    }

    @Test("goes on when a request was broken off")
    func brokenOff() async throws {
        let engine = try await model().engine()
        let long = GenerateRequest(
            prompt: EnginePrompt(content: [.text("Write on and on.")]),
            maximumTokens: 200
        )
        let task = Task { try await engine.generate(long) }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        let short = GenerateRequest(
            prompt: EnginePrompt(content: [.text("How good is it?")]),
            maximumTokens: 2
        )
        #expect(try await engine.generate(short).generatedTokens <= 2)
    }
}
