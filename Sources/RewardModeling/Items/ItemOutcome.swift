package import Hashing

/// How an item ended: the row of `item_result`.
package enum ItemOutcome: Sendable, Equatable {
    /// The result as JSON, keys sorted.
    case completed(resultJSON: String)
    /// No result, for a reason with a stable name and a sentence.
    case failed(code: String, message: String)

    /// The outcome of an item that failed.
    package init(_ failure: ItemFailure) {
        self = .failed(code: failure.code, message: failure.message)
    }
}

/// An item's outcome with the judgements it rests on.
package struct JudgedItem: Sendable, Equatable {
    /// How it ended.
    package let outcome: ItemOutcome
    /// Every judgement made or found for the item, in the order of its questions, without repeats.
    package let judgements: [Digest]

    /// An item with its judgements.
    package init(outcome: ItemOutcome, judgements: [Digest]) {
        self.outcome = outcome
        self.judgements = judgements
    }

    /// An item that failed.
    package init(_ failure: ItemFailure, judgements: [Digest] = []) {
        outcome = ItemOutcome(failure)
        self.judgements = judgements
    }
}
