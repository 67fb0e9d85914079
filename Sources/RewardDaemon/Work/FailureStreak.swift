import Synchronization

/// Tells a server that fails over single questions from one that fails over whatever it is asked: how many items of
/// a shard it failed over in a row.
///
/// Without it a server that hangs would be waited for once an item, to the last of them.
final class FailureStreak: Sendable {
    /// The longest streak that may still be the questions'.
    static let longest = 3

    private let length = Mutex(0)

    /// An item was answered.
    func end() {
        length.withLock { $0 = 0 }
    }

    /// The server failed over a further item: whether that may still be the item's question.
    func grow() -> Bool {
        length.withLock { length in
            length += 1
            return length <= Self.longest
        }
    }
}
