import RewardModeling

/// What was seen of `pair_rank` items under `choices`, both orders, and under `generate`.
package struct PairAccuracy: Sendable, Equatable {
    /// Items whose verdict is right. A tie is wrong, since the true grades differ, and so is an item
    /// whose orders disagree or that failed.
    package private(set) var right = Proportion()
    /// Items whose two orders give one verdict.
    package private(set) var ordersAgree = Proportion()
    /// Presentations, two of each item, whose verdict is right.
    package private(set) var presentationsRight = Proportion()
    /// Presentations in which the candidate that is shown first wins; about half for a model that
    /// does not look at the place.
    package private(set) var shownFirst = Proportion()
    /// Items whose orders agree on a tie.
    package private(set) var ties = 0
    /// Presentations of which `generate` and `choices` say the same. An answer that cannot be read
    /// says nothing.
    package private(set) var generateAgrees = Proportion()
    /// `right` by the difference of the true grades, 1…4.
    package private(set) var byMargin: [String: Proportion] = [:]
    /// `right` by how the scene is put together.
    package private(set) var byComposition: [String: Proportion] = [:]
    /// `right` by what the question asks for.
    package private(set) var byQuestion: [String: Proportion] = [:]
    /// `right` by what is wrong with the worse one; a pair may have several causes.
    package private(set) var byCause: [String: Proportion] = [:]

    /// Takes the answers to one case in both orders; nil for an item that failed.
    mutating func note(_ reading: ItemReading?, of test: PairCase) throws(AccuracyError) {
        let verdict = try reading?.verdict()
        let presentations = try reading?.presentations() ?? []
        let isRight = verdict == test.verdict
        right.note(isRight)
        byMargin["\(test.margin)", default: Proportion()].note(isRight)
        byComposition[test.labels.composition, default: Proportion()].note(isRight)
        if let question = test.labels.question {
            byQuestion[question, default: Proportion()].note(isRight)
        }
        for cause in test.labels.causes { byCause[cause, default: Proportion()].note(isRight) }
        let agree = presentations.count == 2 && Set(presentations.map(\.verdict)).count == 1
        ordersAgree.note(agree)
        if agree, verdict == .tie { ties += 1 }
        for (order, verdict) in presentations {
            presentationsRight.note(verdict == test.verdict)
            shownFirst.note(order.inItemOrder(verdict) == .first)
        }
        if presentations.isEmpty {
            for _ in 0..<2 { presentationsRight.note(false) }
        }
    }

    /// Takes a generated answer to a presentation that `choices` has answered too; nil for one that
    /// is missing.
    mutating func note(generated: Verdict?, chosen: Verdict?) {
        let isRead = generated != nil && generated != .unparsed
        generateAgrees.note(isRead && generated == chosen)
    }
}
