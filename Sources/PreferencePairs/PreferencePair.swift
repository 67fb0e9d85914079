package import Hashing
package import RewardModeling

/// What a preference pair rests on.
package struct PairEvidence: Sendable, Equatable {
    /// The comparisons that put the two candidates in their lists: one, when they met each other.
    package let comparisons: [ComparisonOutcome]
    /// The judgements behind the chosen candidate's score.
    package let chosenScore: [Digest]
    /// The judgements behind the rejected candidate's score.
    /// On the same scale.
    package let rejectedScore: [Digest]
    /// How the candidates came about, where they were sampled.
    package var sampling: PayloadValue?

    /// `{"comparisons": [{"first", "second", "verdict", "judgements"}], "chosen_score": [hex],
    /// "rejected_score": [hex]}`, and `sampling` for sampled candidates.
    package var json: PayloadValue {
        var fields: [String: PayloadValue] = [
            "comparisons": .array(
                comparisons.map { outcome in
                    var fields: [String: PayloadValue] = [
                        "first": .number(Double(outcome.comparison.first)),
                        "second": .number(Double(outcome.comparison.second)),
                        "judgements": hexadecimal(outcome.judgements),
                    ]
                    if case .compared(let swap, _) = outcome.outcome {
                        fields["verdict"] = .string(swap.verdict.rawValue)
                    }
                    return .object(fields)
                }
            ),
            "chosen_score": hexadecimal(chosenScore),
            "rejected_score": hexadecimal(rejectedScore),
        ]
        if let sampling { fields["sampling"] = sampling }
        return .object(fields)
    }
}

/// A preference pair, the row that leaves the system: what a DPO trainer learns from.
package struct PreferencePair: Sendable, Equatable {
    /// Place of the chosen candidate among the item's.
    package let chosenIndex: Int
    /// Place of the rejected candidate.
    package let rejectedIndex: Int
    /// The candidate to learn from.
    package let chosen: Candidate
    /// The candidate to turn away from.
    package let rejected: Candidate
    /// On the point template's scale.
    package let chosenScore: Double
    package let rejectedScore: Double
    /// `chosenScore - rejectedScore`, always above 0.
    package let margin: Double
    /// The judgements behind it.
    package internal(set) var evidence: PairEvidence

    /// The object of a result's `pair` and of the `pair` a checkpoint carries: `chosen_index`,
    /// `rejected_index`, `chosen`, `rejected`, `chosen_score`, `rejected_score`, `margin`,
    /// `evidence`.
    package var json: PayloadValue {
        .object([
            "chosen_index": .number(Double(chosenIndex)),
            "rejected_index": .number(Double(rejectedIndex)),
            "chosen": chosen.json,
            "rejected": rejected.json,
            "chosen_score": .number(chosenScore),
            "rejected_score": .number(rejectedScore),
            "margin": .number(margin),
            "evidence": evidence.json,
        ])
    }
}

private func hexadecimal(_ digests: [Digest]) -> PayloadValue {
    .array(digests.map { .string($0.hex) })
}
