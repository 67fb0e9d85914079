package import Hashing

/// A candidate's point score with what it rests on.
package struct PointScore: Sendable, Equatable {
    /// The value with its scale.
    package let score: Score
    /// The standard deviation over the probabilities; nil for generated answers.
    package let spread: Double?
    /// By numeral; empty for generated answers.
    package let probabilities: [String: Double]
    /// The judgements it took, in order.
    package let judgements: [Digest]
    /// Whether it was answered from the ledger alone.
    package let isReused: Bool

    /// The fields every score of a result has.
    package var json: [String: PayloadValue] {
        [
            "score": .number(score.value), "scale": score.scale.json,
            "spread": spread.map { .number($0) } ?? .null,
            "probabilities": .object(probabilities.mapValues { .number($0) }),
        ]
    }
}

/// What the question about one candidate came to.
package enum PointOutcome: Sendable, Equatable {
    /// The candidate has a score.
    case scored(PointScore)
    /// It has none; the judgements made on the way keep the raw responses.
    case failed(ItemFailure, judgements: [Digest])

    /// Reads the outcome of a point question.
    package init(_ outcome: QuestionOutcome) {
        switch outcome {
        case .failed(let failure, let judgements):
            self = .failed(failure, judgements: judgements)
        case .answered(let judged):
            let answer = judged.answer
            guard let value = answer.score, let minimum = answer.scaleMinimum,
                let maximum = answer.scaleMaximum,
                let scale = Scale(minimum: minimum, maximum: maximum),
                let score = Score(value, on: scale)
            else { preconditionFailure("an answered point question has a score on its scale") }
            self = .scored(
                PointScore(
                    score: score,
                    spread: answer.spread,
                    probabilities: answer.probabilities,
                    judgements: judged.fingerprints,
                    isReused: judged.isReused
                )
            )
        }
    }
}
