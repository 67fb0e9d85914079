package import Hashing
package import RewardModeling

/// An item's outcome, the judgements it rests on, and its preference pair when it has one.
package struct ItemResult: Sendable, Equatable {
    /// How the item ended.
    package let outcome: ItemOutcome
    /// Every judgement made or found for the item, in the order of its questions, without repeats.
    package let judgements: [Digest]
    /// Only ever for `build_pairs`.
    package let pair: PreferencePair?

    /// A result with what it rests on.
    package init(outcome: ItemOutcome, judgements: [Digest], pair: PreferencePair? = nil) {
        self.outcome = outcome
        self.judgements = judgements
        self.pair = pair
    }
}

/// Judges items of the kind `build_pairs`: asks every comparison of the plan and the score of every
/// candidate, all at once, and builds the pair from the answers.
///
/// The scores do not wait for the comparisons: every candidate is scored in any case, ties and the
/// odd one left over included, because the result shows all scores.
package struct PairItemJudge: Sendable {
    private let setup: JudgingSetup
    private let sampled: SampledCandidates?

    /// Judges with the given engine, media, ledger, pack and options.
    ///
    /// - Parameter sampled: The candidates of an item that brings none.
    package init(_ setup: JudgingSetup, sampled: SampledCandidates? = nil) {
        self.setup = setup
        self.sampled = sampled
    }

    /// Judges one item. Throws what `ItemJudging.judge` throws.
    package func judge(_ payload: ItemPayload) async throws -> ItemResult {
        var payload = payload
        if let sampled {
            guard sampled.texts.count > 1 else {
                return result(.noPair(.identicalCandidates), [], [], judgements: [])
            }
            payload = ItemPayload(payload, answers: sampled.texts.map(\.text))
        }
        switch try await setup.questions(about: payload, asking: [.pairRank, .pointScore]) {
        case .failure(let error):
            return ItemResult(
                outcome: ItemOutcome(error.failure),
                judgements: sampled?.fingerprints ?? []
            )
        case .success(let questions): return try await judge(payload, questions)
        }
    }

    private func judge(
        _ payload: ItemPayload,
        _ questions: ItemQuestions
    ) async throws -> ItemResult {
        let plan = ComparisonPlan.plan(for: payload.candidates, options: setup.options)
        let orders = PositionSwap.orders(setup.options.orders)
        var asked: [JudgementQuestion] = []
        for comparison in plan.comparisons {
            for order in orders {
                asked.append(
                    try questions.pairRank(
                        first: comparison.first,
                        second: comparison.second,
                        order: order
                    )
                )
            }
        }
        for index in payload.candidates.indices {
            asked.append(try questions.pointScore(candidate: index))
        }
        let answers = try await setup.ask(asked)
        let comparisons = plan.comparisons.enumerated().map { place, comparison in
            let own = answers[place * orders.count..<(place + 1) * orders.count]
            return ComparisonOutcome(comparison: comparison, outcome: PairOutcome(Array(own)))
        }
        let scores = answers[(plan.comparisons.count * orders.count)...].map { PointOutcome($0) }
        let building = PairBuilder(
            candidates: payload.candidates,
            comparisons: comparisons,
            scores: scores,
            marginMinimum: setup.options.marginMinimum
        ).build()
        return result(
            building,
            comparisons,
            scores,
            judgements: unique(answers.flatMap(\.judgements))
        )
    }

    private func result(
        _ building: PairBuilding,
        _ comparisons: [ComparisonOutcome],
        _ scores: [PointOutcome],
        judgements asked: [Digest]
    ) -> ItemResult {
        let judgements = (sampled?.fingerprints ?? []) + asked
        var pair: PreferencePair?
        var reason: NoPairReason?
        switch building {
        case .failed(let failure):
            return ItemResult(outcome: ItemOutcome(failure), judgements: judgements)
        case .pair(let built):
            pair = built
            pair?.evidence.sampling = sampled?.provenance
        case .noPair(let why): reason = why
        }
        let set = CandidateSet(comparisons)
        var fields: [String: PayloadValue] = [
            "pair": pair?.json ?? .null,
            "reason": reason.map { .string($0.rawValue) } ?? .null,
            "comparisons": .array(comparisons.map(\.json)),
            "scores": .array(
                scores.enumerated().map { scoreJSON($1, index: $0, list: set.list(of: $0)) }
            ),
        ]
        if let sampled {
            fields["candidates"] = sampled.json
            fields["sampling"] = sampled.provenance
        }
        if setup.options.plan == .roundRobin {
            let standings = Standings(candidates: scores.count, outcomes: comparisons)
            fields["strengths"] = standings.json
        }
        return ItemResult(
            outcome: .completed(resultJSON: PayloadValue.object(fields).json),
            judgements: judgements,
            pair: pair
        )
    }

    /// An element of a result's `scores`: the fields of a score, or `error`.
    private func scoreJSON(
        _ outcome: PointOutcome,
        index: Int,
        list: CandidateList?
    ) -> PayloadValue {
        var fields: [String: PayloadValue]
        switch outcome {
        case .scored(let point): fields = point.json
        case .failed(let failure, _): fields = ["error": failure.json]
        }
        fields["index"] = .number(Double(index))
        fields["list"] = list.map { .string($0.rawValue) } ?? .null
        return .object(fields)
    }
}
