/// Which projections of the decoder get low-rank adapters, and how large (Hu et al. 2021, LoRA).
package struct LowRankOptions: Sendable, Equatable {
    /// Rank r of each adapter.
    package let rank: Int
    /// The update is scaled by alpha / rank.
    package let alpha: Float
    /// Names such as "q_proj" or "down_proj", in every decoder layer.
    package let projections: [String]

    /// What may be adapted.
    package static let knownProjections = [
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    ]

    /// Takes the choice.
    ///
    /// - Throws: ``TrainingError/invalidOption(name:expected:got:)``.
    package init(rank: Int, alpha: Float, projections: [String]) throws(TrainingError) {
        guard (1...4096).contains(rank) else {
            throw .invalidOption(name: "adapter rank", expected: "1 to 4096", got: "\(rank)")
        }
        guard alpha > 0, alpha.isFinite else {
            throw .invalidOption(
                name: "adapter alpha",
                expected: "a positive number",
                got: "\(alpha)"
            )
        }
        let wrong = projections.first { !Self.knownProjections.contains($0) }
        guard !projections.isEmpty, wrong == nil else {
            throw .invalidOption(
                name: "adapter projections",
                expected: "some of " + Self.knownProjections.joined(separator: ", "),
                got: wrong.map { "\"\($0)\"" } ?? "none"
            )
        }
        self.rank = rank
        self.alpha = alpha
        self.projections = projections
    }
}
