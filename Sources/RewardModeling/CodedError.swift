/// An error that is an answer about one item, not a fault of the daemon: it fails the item by name.
///
/// Media that cannot be read, a payload of the wrong shape, a prompt longer than the context. Every
/// other error thrown while an item is judged is rethrown, so that the shard can be tried again.
package protocol CodedError: Error {
    /// The stable name stored with the failed item, such as `media_not_found`.
    var code: String { get }
    /// The sentence a person reads.
    var message: String { get }
}

/// Why an item, or one question about it, has no answer: what `item_result` stores as its error.
package struct ItemFailure: Sendable, Equatable {
    /// The stable name, such as `invalid_item`, `prompt_too_long`, `unparsed`.
    package let code: String
    /// The sentence a person reads.
    package let message: String

    /// A failure from its parts.
    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    /// The failure an error amounts to, its message led by where in the item it arose.
    package init(_ error: some CodedError, at path: String? = nil) {
        code = error.code
        message = path.map { "\($0): \(error.message)" } ?? error.message
    }

    /// `{"code": …, "message": …}`, as comparisons and scores of a result carry it.
    package var json: PayloadValue {
        .object(["code": .string(code), "message": .string(message)])
    }
}
