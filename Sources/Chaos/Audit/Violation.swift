/// One way in which the queue is not as it promises to be.
package struct Violation: Sendable, Equatable {
    /// `I1` to `I7`, or `process` for a daemon that ended as it should not have.
    package let invariant: String
    /// What is wrong, one sentence.
    package let rule: String
    /// A row that shows it, as JSON or as a sentence.
    package let evidence: String
    /// How many rows show it; the auditor gives the first five.
    package let total: Int

    /// Assembles a violation.
    package init(invariant: String, rule: String, evidence: String, total: Int = 1) {
        self.invariant = invariant
        self.rule = rule
        self.evidence = evidence
        self.total = total
    }
}
