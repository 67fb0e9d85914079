import RewardModeling

/// The parts of a judged item's result that are measured, read out of its JSON as a caller of the
/// daemon would.
struct ItemReading {
    private let fields: [String: PayloadValue]

    /// Nil when the item failed.
    ///
    /// - Throws: ``AccuracyError/unreadableResult(_:)`` when the result is no object.
    init?(_ outcome: ItemOutcome) throws(AccuracyError) {
        guard case .completed(let json) = outcome else { return nil }
        guard case .object(let fields)? = PayloadValue(json: json.utf8) else {
            throw .unreadableResult(json)
        }
        self.fields = fields
    }

    /// The verdict of a comparison.
    func verdict() throws(AccuracyError) -> Verdict {
        try Self.verdict(fields["verdict"], of: fields)
    }

    /// The verdict of each presentation, in item order.
    func presentations() throws(AccuracyError) -> [(order: PresentationOrder, verdict: Verdict)] {
        guard case .array(let values)? = fields["orders"] else { throw unreadable }
        var found: [(order: PresentationOrder, verdict: Verdict)] = []
        for value in values {
            guard case .object(let own) = value, case .string(let word)? = own["order"],
                let order = PresentationOrder(rawValue: word)
            else { throw unreadable }
            found.append((order, try Self.verdict(own["verdict"], of: own)))
        }
        return found
    }

    /// The score, brought from its scale to 1…5.
    func grade() throws(AccuracyError) -> Double {
        guard case .number(let score)? = fields["score"],
            case .array(let ends)? = fields["scale"], ends.count == 2,
            case .number(let low) = ends[0], case .number(let high) = ends[1], low < high
        else { throw unreadable }
        return 1 + 4 * (score - low) / (high - low)
    }

    /// Why there is no preference pair; nil when there is one.
    func noPairReason() throws(AccuracyError) -> String? {
        switch (fields["pair"], fields["reason"]) {
        case (.object?, _): return nil
        case (_, .string(let reason)?): return reason
        default: throw unreadable
        }
    }

    private static func verdict(
        _ value: PayloadValue?,
        of fields: [String: PayloadValue]
    ) throws(AccuracyError) -> Verdict {
        guard case .string(let word)? = value, let verdict = Verdict(rawValue: word) else {
            throw .unreadableResult(PayloadValue.object(fields).json)
        }
        return verdict
    }

    private var unreadable: AccuracyError {
        .unreadableResult(PayloadValue.object(fields).json)
    }
}
