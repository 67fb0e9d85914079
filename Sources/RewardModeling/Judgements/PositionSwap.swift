/// One comparison asked in one order.
package struct OrderVerdict: Sendable, Equatable {
    /// How the candidates were shown.
    package let order: PresentationOrder
    /// In item order.
    package let verdict: Verdict
    /// The probability of the verdict; nil for generated answers.
    package let confidence: Double?

    /// `{"order": …, "verdict": …, "confidence": …}`.
    var json: PayloadValue {
        .object([
            "order": .string(order.rawValue), "verdict": .string(verdict.rawValue),
            "confidence": confidence.map { .number($0) } ?? .null,
        ])
    }
}

/// What a comparison comes to after both orders (or one) were asked.
///
/// A model that looks at the place and not the picture answers "the first one" both ways round.
/// Taken together that is a tie, marked `order_sensitive`, and never a win.
package struct PositionSwap: Sendable, Equatable {
    /// In item order. The orders' common verdict, else a tie.
    package let verdict: Verdict
    /// The probability of `verdict`, averaged over the orders; nil for generated answers. So for a
    /// disagreement it is the mean probability of a tie, which is low when both orders were sure.
    package let confidence: Double?
    /// Whether the orders disagreed.
    package let isOrderSensitive: Bool
    /// Each order by itself, in the order of `PresentationOrder.allCases`.
    package let orders: [OrderVerdict]

    /// The orders in which a comparison is shown.
    package static func orders(_ orders: JudgingOptions.Orders) -> [PresentationOrder] {
        orders == .both ? PresentationOrder.allCases : [.firstSecond]
    }

    /// Reconciles answers that could be read; there is at least one, and each is a comparison's.
    package init(_ answers: [RecordedJudgement]) {
        precondition(!answers.isEmpty, "a comparison was asked at least once")
        orders = answers.map {
            let verdict = $0.verdict ?? .unparsed
            return OrderVerdict(
                order: $0.order ?? .firstSecond,
                verdict: verdict,
                confidence: $0.probabilities[verdict.rawValue]
            )
        }
        let verdicts = Set(orders.map(\.verdict))
        isOrderSensitive = verdicts.count > 1
        let common: Verdict = isOrderSensitive ? .tie : orders[0].verdict
        verdict = common
        let shares = answers.compactMap { answer in
            answer.probabilities.isEmpty ? nil : answer.probabilities[common.rawValue] ?? 0
        }
        confidence =
            shares.count == answers.count
            ? shares.reduce(0, +) / Double(shares.count) : nil
    }

    /// The fields of a `pair_rank` result.
    package var json: [String: PayloadValue] {
        [
            "verdict": .string(verdict.rawValue),
            "confidence": confidence.map { .number($0) } ?? .null,
            "order_sensitive": .bool(isOrderSensitive),
            "orders": .array(orders.map(\.json)),
        ]
    }
}
