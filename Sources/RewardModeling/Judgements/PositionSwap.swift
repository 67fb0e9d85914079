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
    /// Each criterion's numbers, averaged over the orders; empty where an order has none of its own.
    package let criteria: [CriterionReading]
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
        criteria = Self.average(answers.map(\.criteria))
        let shares = answers.compactMap { answer in
            answer.probabilities.isEmpty ? nil : answer.probabilities[common.rawValue] ?? 0
        }
        confidence =
            shares.count == answers.count
            ? shares.reduce(0, +) / Double(shares.count) : nil
    }

    /// The fields of a `pair_rank` result.
    package var json: [String: PayloadValue] {
        var fields: [String: PayloadValue] = [
            "verdict": .string(verdict.rawValue),
            "confidence": confidence.map { .number($0) } ?? .null,
            "order_sensitive": .bool(isOrderSensitive),
            "orders": .array(orders.map(\.json)),
        ]
        if !criteria.isEmpty {
            fields["criteria"] = .array(criteria.map(\.json))
            if let (first, second) = CriteriaMean.pair(criteria), let scale = criteria.first?.scale
            {
                fields["first"] = .number(first)
                fields["second"] = .number(second)
                fields["scale"] = scale.json
            }
        }
        return fields
    }

    /// The criteria that every order has, in the first order's order. A rubric may name others each
    /// time it is asked; one asked about once would carry that order's bias.
    private static func average(_ orders: [[CriterionReading]]) -> [CriterionReading] {
        guard let first = orders.first else { return [] }
        return first.compactMap { reading in
            var total = (first: 0.0, second: 0.0)
            for order in orders {
                guard let same = order.first(where: { $0.name == reading.name }),
                    case .pair(let one, let other) = same.value, same.scale == reading.scale
                else { return nil }
                total.first += one
                total.second += other
            }
            let count = Double(orders.count)
            return CriterionReading(
                name: reading.name,
                value: .pair(first: total.first / count, second: total.second / count),
                scale: reading.scale
            )
        }
    }
}
