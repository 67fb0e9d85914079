/// Which blocks of the cache of keys and values are in use, and how often.
///
/// A block is held by each sequence in whose table it stands and by the node of the prefix tree that
/// remembers it; the last to release it makes it free. The block freed last is taken first: its memory is
/// likely to be resident.
struct BlockLedger {
    /// Blocks there are.
    let count: Int
    private var holders: [Int32]
    private var free: [Int32]

    /// `count` free blocks.
    init(count: Int) {
        self.count = count
        holders = Array(repeating: 0, count: count)
        free = Array((0..<Int32(count)).reversed())
    }

    /// Blocks nobody holds.
    var freeCount: Int { free.count }

    /// A free block, now held once; nil when there is none.
    mutating func take() -> Int32? {
        guard let block = free.popLast() else { return nil }
        holders[Int(block)] = 1
        return block
    }

    /// Adds a holder.
    mutating func retain(_ block: Int32) {
        precondition(holders[Int(block)] > 0, "a free block is taken, not retained")
        holders[Int(block)] += 1
    }

    /// Takes a holder away.
    mutating func release(_ block: Int32) {
        precondition(holders[Int(block)] > 0, "a block is released as often as it was held")
        holders[Int(block)] -= 1
        if holders[Int(block)] == 0 { free.append(block) }
    }
}
