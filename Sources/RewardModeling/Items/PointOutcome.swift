package import Hashing

/// A candidate's point score with what it rests on.
package struct PointScore: Sendable, Equatable {
    /// The value with its scale.
    package let score: Score
    /// The standard deviation over the probabilities; nil for generated answers.
    package let spread: Double?
    /// By numeral; empty for generated answers and for several criteria.
    package let probabilities: [String: Double]
    /// Each criterion's score; empty for a template without criteria.
    package let criteria: [CriterionReading]
    /// Which words of the caption are shown, where a generated answer says so.
    package let words: [(word: String, score: Double)]
    /// The judgements it took, in order.
    package let judgements: [Digest]
    /// Whether it was answered from the ledger alone.
    package let isReused: Bool

    /// A score from its parts.
    package init(
        score: Score,
        spread: Double?,
        probabilities: [String: Double],
        criteria: [CriterionReading] = [],
        words: [(word: String, score: Double)] = [],
        judgements: [Digest],
        isReused: Bool
    ) {
        self.score = score
        self.spread = spread
        self.probabilities = probabilities
        self.criteria = criteria
        self.words = words
        self.judgements = judgements
        self.isReused = isReused
    }

    /// The fields every score of a result has.
    package var json: [String: PayloadValue] {
        var fields: [String: PayloadValue] = [
            "score": .number(score.value), "scale": score.scale.json,
            "spread": spread.map { .number($0) } ?? .null,
            "probabilities": .object(probabilities.mapValues { .number($0) }),
        ]
        if !criteria.isEmpty { fields["criteria"] = .array(criteria.map(\.json)) }
        if !words.isEmpty {
            fields["words"] = .array(
                words.map { .array([.string($0.word), .number($0.score)]) }
            )
        }
        return fields
    }

    /// Equal in all parts.
    package static func == (left: PointScore, right: PointScore) -> Bool {
        left.score == right.score && left.spread == right.spread
            && left.probabilities == right.probabilities && left.criteria == right.criteria
            && left.words.elementsEqual(right.words, by: ==) && left.judgements == right.judgements
            && left.isReused == right.isReused
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
                    criteria: answer.criteria,
                    words: answer.criteria.isEmpty || answer.answerMode != .generate
                        ? [] : WordScoreParser.parse(answer.rawResponse) ?? [],
                    judgements: judged.fingerprints,
                    isReused: judged.isReused
                )
            )
        }
    }
}
