/// One attention layer's keys and values for one sequence, in memory of its own.
///
/// What the vision tower fills anew for every layer; the decoder's sequences share `KeyValueBlocks`.
///
/// Not for use from several threads at once, except by `attention`, which only reads.
// @unchecked Sendable because its owner hands it from thread to thread, never shares it.
package final class KeyValueCache: @unchecked Sendable {
    /// Positions that fit.
    package let capacity: Int
    /// Positions filled.
    package private(set) var count = 0

    let blocks: KeyValueBlocks
    /// The blocks in order.
    let table: UnsafeMutablePointer<Int32>

    /// Takes the memory for `capacity` positions at once.
    package init(capacity: Int, keyValueHeads: Int, headDimension: Int) {
        precondition(capacity > 0, "KeyValueCache: expected room for a position, got \(capacity)")
        self.capacity = capacity
        let count = KeyValueLayout.blockCount(positions: capacity)
        blocks = KeyValueBlocks(
            layout: KeyValueLayout(
                layers: 1,
                keyValueHeads: keyValueHeads,
                headDimension: headDimension
            ),
            count: count
        )
        table = .allocate(capacity: count)
        for block in 0..<count { (table + block).initialize(to: Int32(block)) }
    }

    deinit { table.deallocate() }

    /// Adds `rows` positions; keys and values are [rows, keyValueHeads · headDimension].
    ///
    /// - Parameter pool: shares the copying when given.
    package func append(
        keys: UnsafePointer<Float>,
        values: UnsafePointer<Float>,
        rows: Int,
        pool: ComputeThreadPool? = nil
    ) {
        precondition(
            rows >= 0 && count + rows <= capacity,
            "KeyValueCache: expected at most \(capacity) positions, got \(count + rows)"
        )
        blocks.write(
            keys: keys,
            values: values,
            rows: rows,
            table: table,
            first: count,
            layer: 0,
            pool: pool
        )
        count += rows
    }

    /// Forgets the positions from `count` on.
    package func truncate(to count: Int) {
        precondition(
            count >= 0 && count <= self.count,
            "KeyValueCache: expected to keep 0…\(self.count) positions, got \(count)"
        )
        self.count = count
    }

    /// Bytes that a cache of these dimensions takes.
    package static func byteCount(capacity: Int, keyValueHeads: Int, headDimension: Int) -> Int {
        KeyValueLayout(layers: 1, keyValueHeads: keyValueHeads, headDimension: headDimension)
            .blockByteCount * KeyValueLayout.blockCount(positions: capacity)
    }
}
