import PreferencePairs

/// What was seen of `build_pairs` items.
package struct ListAccuracy: Sendable, Equatable {
    /// Items that gave a preference pair.
    package private(set) var emitted = Proportion()
    /// Pairs whose chosen candidate is truly better than the rejected.
    package private(set) var right = Proportion()
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
            right.note(test.grades[pair.chosenIndex] > test.grades[pair.rejectedIndex])
        } else if let reason = try reading?.noPairReason() {
            noPair[reason, default: 0] += 1
        }
    }
}
