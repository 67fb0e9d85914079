import PreferencePairs

/// What was seen of `build_pairs` items.
package struct ListAccuracy: Sendable, Equatable {
    /// Items that gave a preference pair.
    package private(set) var emitted = Proportion()
    /// Pairs whose chosen candidate is truly better than the rejected.
    package private(set) var right = Proportion()
    /// `right` by how the scene is put together.
    package private(set) var byComposition: [String: Proportion] = [:]
    /// `right` by what the question asks for.
    package private(set) var byQuestion: [String: Proportion] = [:]
    /// How often each reason for no pair was given; failed items are not among them.
    package private(set) var noPair: [String: Int] = [:]

    /// Takes the outcome of one case; nil for an item that failed.
    mutating func note(
        _ reading: ItemReading?,
        pair: PreferencePair?,
        of test: ListCase
    ) throws(AccuracyError) {
        emitted.note(pair != nil)
        if let pair {
            let isRight = test.grades[pair.chosenIndex] > test.grades[pair.rejectedIndex]
            right.note(isRight)
            byComposition[test.labels.composition, default: Proportion()].note(isRight)
            if let question = test.labels.question {
                byQuestion[question, default: Proportion()].note(isRight)
            }
        } else if let reason = try reading?.noPairReason() {
            noPair[reason, default: 0] += 1
        }
    }
}
