import Hashing
import Inference
import RewardModeling
import Tokenization

@testable import Accuracy

/// An engine that knows the answer to every question of a plan, and may have a fault.
struct GradedEngine: AnswerEngine {
    /// How it answers wrongly.
    enum Fault: String, CaseIterable {
        /// It says that the candidate shown first is better, whichever it is.
        case looksAtThePlace
        /// It says the opposite of a comparison's truth, and turns scores round.
        case isContrary
        /// What it writes is no answer.
        case babbles
        /// It fails on point scores.
        case refusesScores
    }

    let modelDigest = SHA256.digest("graded engine".utf8)
    let identity = "graded engine 1"
    private let fault: Fault?
    private var answers: [String: String] = [:]

    /// Learns the answers to all questions about a plan's groups.
    init(plan: AccuracyPlan, pack: PromptPack, fault: Fault? = nil) async throws {
        self.fault = fault
        for task in plan.tasks {
            let maker = TestGroupMaker(plan: plan, task: task)
            for index in 0..<plan.groups { try await learn(try maker.group(index), task, pack) }
            for index in 0..<plan.lists { try await learn(try maker.list(index), task, pack) }
        }
    }

    func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        GenerateResponse(
            text: fault == .babbles ? "Well." : try answer(request.prompt),
            promptTokens: 10,
            generatedTokens: 5,
            finishReason: .stop,
            seconds: 0
        )
    }

    func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        let answer = try answer(request.prompt)
        return ChooseResponse(
            probabilities: request.choices.map { request.answerPrefix + $0 == answer ? 1 : 0 },
            promptTokens: 10,
            seconds: 0
        )
    }

    private func answer(_ prompt: EnginePrompt) throws -> String {
        guard let answer = answers[Self.key(prompt)] else {
            throw RewardModelingError.invalidItem("engine: expected a known question")
        }
        return answer
    }

    private static func key(_ prompt: EnginePrompt) -> String {
        let texts = prompt.content.map { part in
            if case .text(let text) = part { text } else { "" }
        }
        return (texts + prompt.images.map(\.digest.hex) + prompt.clips.map(\.digest.hex))
            .joined(separator: "|")
    }

    // MARK: - Learning

    private mutating func learn(
        _ group: TestGroup,
        _ task: JudgingTask,
        _ pack: PromptPack
    ) async throws {
        func questions(_ payload: String, _ kind: JudgingKind) async throws -> ItemQuestions {
            let item = try ItemPayload(json: payload.utf8, kind: kind, task: task)
            let media = try await ItemMedia.load(item, from: group.media).get()
            return ItemQuestions(payload: item, media: media, task: task, pack: pack)
        }
        for test in group.points {
            try learn(test.grade, 0, await questions(test.payload, .pointScore))
        }
        for test in group.pairs {
            try learn(test.verdict, 0, 1, await questions(test.payload, .pairRank))
        }
        guard let test = group.list else { return }
        let list = try await questions(test.payload, .buildPairs)
        for (index, grade) in test.grades.enumerated() { try learn(grade, index, list) }
        for first in stride(from: 0, to: test.grades.count - 1, by: 2) {
            let (one, other) = (test.grades[first], test.grades[first + 1])
            let verdict: Verdict = one == other ? .tie : one > other ? .first : .second
            try learn(verdict, first, first + 1, list)
        }
    }

    private mutating func learn(
        _ grade: Int,
        _ candidate: Int,
        _ questions: ItemQuestions
    ) throws {
        let question = try questions.pointScore(candidate: candidate)
        guard case .scores(let choices, _) = question.template.choices else { return }
        if fault == .refusesScores { return }
        let said = fault == .isContrary ? 6 - grade : grade
        answers[Self.key(question.prompt)] = question.template.answerPrefix + choices[said - 1].text
    }

    private mutating func learn(
        _ verdict: Verdict,
        _ first: Int,
        _ second: Int,
        _ questions: ItemQuestions
    ) throws {
        for order in PresentationOrder.allCases {
            let question = try questions.pairRank(first: first, second: second, order: order)
            guard case .verdicts(let choices) = question.template.choices else { return }
            var said = order.inItemOrder(verdict)
            if fault == .looksAtThePlace { said = .first }
            if fault == .isContrary { said = said.swapped }
            let text = choices.first { $0.verdict == said }?.text ?? ""
            answers[Self.key(question.prompt)] = question.template.answerPrefix + text
        }
    }
}
