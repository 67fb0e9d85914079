/// Judges items of the kinds `point_score`, `pair_rank` and `pair_score`.
package struct ItemJudge: Sendable {
    private let setup: JudgingSetup

    /// Judges with the given engine, media, ledger, pack and options.
    package init(_ setup: JudgingSetup) {
        self.setup = setup
    }

    /// Scores the one candidate of a `point_score` item.
    package func pointScore(_ payload: ItemPayload) async throws -> JudgedItem {
        switch try await setup.questions(about: payload, asking: [.pointScore]) {
        case .failure(let error): return JudgedItem(error.failure)
        case .success(let questions):
            let outcomes = try await setup.ask([try questions.pointScore(candidate: 0)])
            switch PointOutcome(outcomes[0]) {
            case .failed(let failure, let judgements):
                return JudgedItem(failure, judgements: judgements)
            case .scored(let score):
                var fields = score.json
                fields["reused"] = .bool(score.isReused)
                return JudgedItem(
                    outcome: .completed(resultJSON: PayloadValue.object(fields).json),
                    judgements: score.judgements
                )
            }
        }
    }

    /// Compares the two candidates of a `pair_rank` item.
    package func pairRank(_ payload: ItemPayload) async throws -> JudgedItem {
        try await compare(payload, .pairRank) { questions, order throws(RewardModelingError) in
            try questions.pairRank(first: 0, second: 1, order: order)
        }
    }

    /// Scores the two candidates of a `pair_score` item side by side.
    package func pairScore(_ payload: ItemPayload) async throws -> JudgedItem {
        try await compare(payload, .pairScore) { questions, order throws(RewardModelingError) in
            try questions.pairScore(first: 0, second: 1, order: order)
        }
    }

    private func compare(
        _ payload: ItemPayload,
        _ kind: QuestionKind,
        _ question: (ItemQuestions, PresentationOrder) throws(RewardModelingError)
            -> JudgementQuestion
    ) async throws -> JudgedItem {
        switch try await setup.questions(about: payload, asking: [kind]) {
        case .failure(let error): return JudgedItem(error.failure)
        case .success(let questions):
            var asked: [JudgementQuestion] = []
            for order in PositionSwap.orders(setup.options.orders) {
                asked.append(try question(questions, order))
            }
            switch PairOutcome(try await setup.ask(asked)) {
            case .failed(let failure, let judgements):
                return JudgedItem(failure, judgements: judgements)
            case .compared(let swap, let judgements):
                return JudgedItem(
                    outcome: .completed(resultJSON: PayloadValue.object(swap.json).json),
                    judgements: judgements
                )
            }
        }
    }
}
