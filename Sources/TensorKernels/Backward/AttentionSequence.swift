/// One sequence of a batch: a prefix that is causal in itself, and branches, each of which sees the
/// prefix and itself causally, and no other branch. Several questions asked over the same pictures then
/// share the work of the prefix.
package struct AttentionSequence: Sendable {
    /// The row of the batch at which the prefix begins.
    package var firstRow: Int
    /// Rows of the prefix; 0 is allowed.
    package var prefixCount: Int
    /// Rows of each branch; the branches follow the prefix one after another.
    package var branchCounts: [Int]
    /// False: every row sees every row of the sequence (vision tiles); there are no branches then.
    package var isCausal: Bool

    /// Takes the numbers as they are; rows may not be shared between sequences of one call.
    package init(
        firstRow: Int,
        prefixCount: Int,
        branchCounts: [Int] = [],
        isCausal: Bool = true
    ) {
        precondition(
            firstRow >= 0 && prefixCount >= 0 && branchCounts.allSatisfy { $0 >= 0 },
            "AttentionSequence: expected no negative numbers, got row \(firstRow), "
                + "prefix \(prefixCount), branches \(branchCounts)"
        )
        precondition(
            isCausal || branchCounts.isEmpty,
            "AttentionSequence: expected no branches under the full mask, "
                + "got \(branchCounts.count)"
        )
        self.firstRow = firstRow
        self.prefixCount = prefixCount
        self.branchCounts = branchCounts
        self.isCausal = isCausal
    }

    /// Rows of prefix and branches together.
    package var rowCount: Int { branchCounts.reduce(prefixCount, +) }
}
