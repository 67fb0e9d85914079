import Inference
import RewardModeling
import Tokenization

/// One question with the answer the model should give, worded as judging would word it.
struct TrainingExample {
    /// Line of the dataset.
    let line: Int
    /// What reports call examples like this one.
    let group: String
    /// What is asked.
    let prompt: EnginePrompt
    /// What should be answered.
    let response: String
}

/// Words the examples of a record: one for a score or a conversation, two for a pair, which is shown in
/// both orders so that no place is favoured.
struct ExampleWriter: Sendable {
    let pack: PromptPack
    let media: any MediaProvider

    /// The examples of a record, its pictures loaded.
    ///
    /// - Throws: ``TrainingError/unusableRecord(_:)`` for a picture that cannot be had or a template
    ///   that has no words for the truth; `CancellationError`.
    func examples(of record: DatasetRecord, file: String) async throws -> [TrainingExample] {
        do {
            switch record.content {
            case .conversation(let shown, let prompt, let response):
                return [
                    TrainingExample(
                        line: record.line,
                        group: record.group,
                        prompt: try await self.prompt(prompt, showing: shown),
                        response: response
                    )
                ]
            case .point(let payload, let score, let scale):
                let questions = try await questions(payload, .pointScore, task: record.task)
                let question = try questions.pointScore(candidate: 0)
                let answer = try question.template.answer(score: score, on: scale)
                return [example(record, question, answer)]
            case .pair(let payload, let verdict):
                let questions = try await questions(payload, .pairRank, task: record.task)
                return try PresentationOrder.allCases.map { order in
                    let question = try questions.pairRank(first: 0, second: 1, order: order)
                    let answer = try question.template.answer(order.inItemOrder(verdict))
                    return example(record, question, answer)
                }
            }
        } catch let error as any CodedError {
            throw TrainingError.unusableRecord("\(file) line \(record.line): \(error.message)")
        } catch let error as UnusableAnswer {
            throw TrainingError.unusableRecord("\(file) line \(record.line): \(error.sentence)")
        }
    }

    private func example(
        _ record: DatasetRecord,
        _ question: JudgementQuestion,
        _ response: String
    ) -> TrainingExample {
        TrainingExample(
            line: record.line,
            group: record.group,
            prompt: question.prompt,
            response: response
        )
    }

    private func questions(
        _ payload: ItemPayload,
        _ kind: QuestionKind,
        task: JudgingTask
    ) async throws -> ItemQuestions {
        let views = try JudgingOptions().views(for: [kind], about: task, in: pack)
        switch try await ItemMedia.load(payload, from: media, views: views) {
        case .success(let loaded):
            return ItemQuestions(payload: payload, media: loaded, task: task, pack: pack)
        case .failure(let error):
            throw UnusableAnswer(sentence: error.failure.message)
        }
    }

    private func prompt(
        _ text: String,
        showing shown: [VisualReference]
    ) async throws -> EnginePrompt {
        var prompt = EnginePrompt(content: [])
        for reference in shown {
            switch reference {
            case .image(let file):
                prompt.content.append(.image(prompt.images.count))
                prompt.images.append(try await media.image(file))
            case .clip(let files):
                var frames: [EngineImage] = []
                for file in files { frames.append(try await media.image(file)) }
                prompt.content.append(.video(prompt.clips.count))
                prompt.clips.append(EngineClip(frames: frames))
            case .video(let file):
                prompt.content.append(.video(prompt.clips.count))
                prompt.clips.append(try await media.video(file, pack.sampler))
            }
        }
        prompt.content.append(.text(text))
        return prompt
    }
}

/// Why a record's truth has no words.
struct UnusableAnswer: Error {
    let sentence: String
}

extension PromptTemplate {
    /// The whole answer that means a verdict about the candidates as shown.
    fileprivate func answer(_ verdict: Verdict) throws(UnusableAnswer) -> String {
        if case .verdicts(let choices) = choices,
            let choice = choices.first(where: { $0.verdict == verdict })
        {
            return answerPrefix + choice.text
        }
        throw UnusableAnswer(
            sentence: "verdict: expected one that template \"\(id)\" has an answer for, got "
                + "\"\(verdict.rawValue)\""
        )
    }

    /// The whole answer that means a score, mapped linearly from the scale it was given on; at most two
    /// decimals, and a choice's own text when one has this value.
    fileprivate func answer(score: Double, on given: Scale?) throws(UnusableAnswer) -> String {
        guard case .scores(let choices, let scale) = choices else {
            throw UnusableAnswer(sentence: "score: expected a template with a scale, got \"\(id)\"")
        }
        let given = given ?? scale
        let part = (score - given.minimum) / (given.maximum - given.minimum)
        let mapped = scale.minimum + part * (scale.maximum - scale.minimum)
        let value = (mapped * 100).rounded() / 100
        guard value >= scale.minimum, value <= scale.maximum else {
            throw UnusableAnswer(
                sentence: "score: expected a number from \(given.minimum) to \(given.maximum), got "
                    + "\(score)"
            )
        }
        if let choice = choices.first(where: { $0.value == value }) {
            return answerPrefix + choice.text
        }
        return answerPrefix + "\(value)"
    }
}
