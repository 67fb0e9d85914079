package import TensorKernels

/// The keys and values of one sequence: the blocks they lie in, and how many positions are filled.
///
/// The blocks are lent by whoever owns the memory: an engine, which may put a block in several sequences
/// that begin with the same rows, or the state itself. Belongs to one engine thread.
package final class SequenceState {
    /// Where the blocks lie.
    package let blocks: KeyValueBlocks
    /// Positions held.
    package private(set) var count = 0
    /// Positions there are blocks for.
    package private(set) var capacity = 0

    /// Block numbers in the order of positions.
    let table: UnsafeMutablePointer<Int32>
    private let blockLimit: Int

    /// A sequence of at most `limit` positions without blocks.
    package init(blocks: KeyValueBlocks, limit: Int) {
        self.blocks = blocks
        blockLimit = KeyValueLayout.blockCount(positions: max(limit, 1))
        table = .allocate(capacity: blockLimit)
    }

    /// A sequence with memory of its own for `capacity` positions of a model.
    package convenience init(config: TextConfig, capacity: Int) {
        let count = KeyValueLayout.blockCount(positions: capacity)
        self.init(
            blocks: KeyValueBlocks(layout: KeyValueLayout(config), count: count),
            limit: capacity
        )
        for block in 0..<count { add(block: Int32(block)) }
    }

    deinit { table.deallocate() }

    /// Lends the next block.
    package func add(block: Int32) {
        let place = capacity / KeyValueLayout.blockPositions
        precondition(place < blockLimit, "SequenceState: expected at most \(blockLimit) blocks")
        precondition(block >= 0 && block < blocks.count, "SequenceState: no block \(block)")
        (table + place).initialize(to: block)
        capacity += KeyValueLayout.blockPositions
    }

    /// Lends other blocks in place of those before; the first `count` positions are in them.
    package func lend(_ blocks: [Int32], holding count: Int) {
        capacity = 0
        for block in blocks { add(block: block) }
        hold(count)
    }

    /// Says that the first `count` positions are filled: blocks that hold them already were lent, or
    /// what is beyond is to be forgotten.
    package func hold(_ count: Int) {
        precondition(count >= 0 && count <= capacity, "SequenceState: 0…\(capacity) positions")
        self.count = count
    }

    /// Forgets every position from `count` on.
    package func truncate(to count: Int) { hold(min(count, self.count)) }

    /// Memory for `capacity` positions of a model, in bytes.
    package static func byteCount(config: TextConfig, capacity: Int) -> Int {
        KeyValueLayout(config).blockByteCount * KeyValueLayout.blockCount(positions: capacity)
    }
}

extension KeyValueLayout {
    /// The cache of a decoder.
    package init(_ config: TextConfig) {
        self.init(
            layers: config.layerCount,
            keyValueHeads: config.keyValueHeadCount,
            headDimension: config.headDimension
        )
    }
}
