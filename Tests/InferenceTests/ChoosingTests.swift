import Glibc
import Testing
import Tokenization

@testable import Inference
@testable import Transformer

/// Probabilities of answers against a twin that computes every step from nothing.
@Suite("Choosing among answers")
struct ChoosingTests {
    static let requests: [(prefix: String, choices: [String])] = [
        ("", ["first", "second"]),
        ("Final Score: ", ["1", "2", "3", "4", "5"]),
        ("Image ", ["1 is better", "2 is better", "1 and 2 are equal"]),
        ("", ["1", "12", "123", "2"]),
        ("The", ["", " cat", " cats"]),
        ("Semantic alignment: ", ["very good", "very bad", "very, very bad"]),
    ]

    @Test("equals the brute-force twin", arguments: requests.indices)
    func twin(index: Int) async throws {
        let (prefix, choices) = Self.requests[index]
        let request = ChooseRequest(
            prompt: try TinyModel.prompt(),
            answerPrefix: prefix,
            choices: choices
        )
        let response = try await TinyModel.makeEngine().choose(request)
        let expected = try bruteForce(request)
        for (probability, wanted) in zip(response.probabilities, expected) {
            #expect(abs(probability - wanted) < 1e-12)
        }
        #expect(abs(response.probabilities.reduce(0, +) - 1) < 1e-12)
    }

    @Test("the order of the choices changes nothing but the order")
    func order() async throws {
        let engine = try TinyModel.makeEngine()
        let prompt = try TinyModel.prompt()
        let choices = ["excellent", "good", "fair", "poor"]
        let forward = try await engine.choose(ChooseRequest(prompt: prompt, choices: choices))
        let backward = try await engine.choose(
            ChooseRequest(prompt: prompt, choices: choices.reversed())
        )
        #expect(forward.probabilities == backward.probabilities.reversed())
    }

    @Test(
        "refuses fewer than two answers, and two that are the same",
        arguments: [["one"], [], ["same", "same"], ["e\u{301}", "\u{e9}"]] as [[String]]
    )
    func refusals(choices: [String]) async throws {
        let engine = try TinyModel.makeEngine()
        let prompt = try TinyModel.prompt()
        let error = await #expect(throws: InferenceError.self) {
            try await engine.choose(ChooseRequest(prompt: prompt, choices: choices))
        }
        #expect(error?.code == "invalid_request")
    }

    /// Every answer, token by token, each step a whole new prefill of a new sequence.
    private func bruteForce(_ request: ChooseRequest) throws -> [Double] {
        let session = try EngineBlueprint(
            directory: TinyModel.huggingFace,
            options: TinyModel.options(visionCacheBytes: 0, reusesPrefix: false)
        ).makeSession()
        let sequence = SingleSequence(session)
        let answers = try request.choices.map {
            try session.builder.answerTokens(request.answerPrefix + $0)
        }
        let ended = answers.map { answer in
            let isStart = answers.contains { $0.count > answer.count && $0.starts(with: answer) }
            return isStart ? answer + [session.endOfTurn] : answer
        }
        return try ended.map { answer in
            var probability = 1.0
            for position in answer.indices {
                let start = answer.prefix(position)
                let allowed = Set(
                    ended.filter { $0.count > position && $0.starts(with: start) }
                        .map { $0[position] }
                )
                guard allowed.count > 1 else { continue }
                let plan = try session.builder.plan(request.prompt)
                var input = try session.input(of: plan, prompt: request.prompt)
                input.append(tokens: start)
                sequence.reset()
                let logits = sequence.advance(to: input)
                let sum = allowed.reduce(0.0) { $0 + exp(Double(logits[Int($1)])) }
                probability *= exp(Double(logits[Int(answer[position])])) / sum
            }
            return probability
        }
    }
}
