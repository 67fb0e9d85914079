package import Hashing

/// What the questions about one pair, in one order or both, came to.
package enum PairOutcome: Sendable, Equatable {
    /// There is a verdict.
    case compared(PositionSwap, judgements: [Digest])
    /// There is none; the judgements made on the way keep the raw responses.
    case failed(ItemFailure, judgements: [Digest])

    /// Reads the outcomes of one comparison's questions. A single order that failed fails the
    /// comparison: the other alone would be a verdict with its position bias.
    package init(_ outcomes: [QuestionOutcome]) {
        let judgements = unique(outcomes.flatMap(\.judgements))
        var answers: [RecordedJudgement] = []
        for outcome in outcomes {
            switch outcome {
            case .failed(let failure, _):
                self = .failed(failure, judgements: judgements)
                return
            case .answered(let judged): answers.append(judged.answer)
            }
        }
        self = .compared(PositionSwap(answers), judgements: judgements)
    }
}
