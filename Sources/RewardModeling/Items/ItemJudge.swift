/// Judges items of the kinds `point_score` and `pair_rank`.
package struct ItemJudge: Sendable {
    private let setup: JudgingSetup

    /// Judges with the given engine, media, ledger, pack and options.
    package init(_ setup: JudgingSetup) {
        self.setup = setup
    }

    /// Scores the one candidate of a `point_score` item.
    package func pointScore(_ payload: ItemPayload) async throws -> JudgedItem {
        switch try await setup.questions(about: payload) {
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
        switch try await setup.questions(about: payload) {
        case .failure(let error): return JudgedItem(error.failure)
        case .success(let questions):
            var asked: [JudgementQuestion] = []
            for order in PositionSwap.orders(setup.options.orders) {
                asked.append(try questions.pairRank(first: 0, second: 1, order: order))
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
