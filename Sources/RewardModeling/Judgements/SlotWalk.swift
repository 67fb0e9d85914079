import Hashing
import Inference

/// Answers a question of several numbers by choices: place after place of the answer, the numerals
/// are weighed and the most probable one is written before the next is asked about.
///
/// The numbers kept are expected values over the numerals. The places share the prompt's prefix, so
/// what each costs is a few tokens.
struct SlotWalk {
    let engine: any AnswerEngine
    let question: JudgementQuestion

    /// Asks about every place. Throws what the engine throws, and `.engineFault`.
    func judgement(fingerprint: Digest) async throws -> RecordedJudgement {
        let template = question.template
        guard case .scores(let choices, let scale) = template.choices else {
            preconditionFailure("places have numerals")
        }
        var written = ""
        var means: [Double] = []
        var variance = 0.0
        var promptTokens = 0
        var seconds = 0.0
        for slot in template.slots {
            written += slot.lead
            try Task.checkCancellation()
            let response = try await engine.choose(
                ChooseRequest(
                    prompt: question.prompt,
                    answerPrefix: written,
                    choices: template.choices.texts
                )
            )
            promptTokens = response.promptTokens
            seconds += response.seconds
            let shares = response.probabilities
            guard shares.count == choices.count else {
                throw RewardModelingError.engineFault(
                    "engine: expected \(choices.count) probabilities for template "
                        + "\(quoted(template.id)), got \(shares.count)"
                )
            }
            guard AnswerReading.areUsable(shares) else { break }
            let total = shares.reduce(0, +)
            let mean = zip(choices, shares).reduce(0) { $0 + $1.0.value * $1.1 / total }
            variance += zip(choices, shares).reduce(0) {
                $0 + ($1.0.value - mean) * ($1.0.value - mean) * $1.1 / total
            }
            means.append(min(max(mean, scale.minimum), scale.maximum))
            let best = shares.indices.max { shares[$0] < shares[$1] } ?? 0
            written += choices[best].text
        }
        let readings = readings(means, scale)
        // The standard deviation of a mean of independent numbers.
        let spread = variance.squareRoot() / Double(max(means.count, 1))
        return RecordedJudgement(
            AnswerReading(
                written: readings == nil
                    ? "no usable probabilities after: " + written : written + template.answerEnd,
                criteria: readings,
                spread: spread,
                question: question
            ),
            to: question,
            fingerprint: fingerprint,
            mode: .choices,
            promptTokens: promptTokens,
            generatedTokens: 0,
            seconds: seconds
        )
    }

    /// The criteria's numbers, as presented; nil unless every place has one.
    private func readings(_ means: [Double], _ scale: Scale) -> [CriterionReading]? {
        let slots = question.template.slots
        guard means.count == slots.count else { return nil }
        return question.template.criteria.enumerated().compactMap { index, criterion in
            func mean(_ side: Verdict?) -> Double? {
                slots.firstIndex { $0.criterion == index && $0.side == side }.map { means[$0] }
            }
            if let score = mean(nil) {
                return CriterionReading(name: criterion.name, value: .one(score), scale: scale)
            }
            guard let first = mean(.first), let second = mean(.second) else { return nil }
            return CriterionReading(
                name: criterion.name,
                value: .pair(first: first, second: second),
                scale: scale
            )
        }
    }
}
