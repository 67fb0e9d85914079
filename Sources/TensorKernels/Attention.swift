/// Which keys a query sees.
package enum AttentionMask: Sendable {
    /// Those up to its own position: language models.
    case causal
    /// All: the vision tower.
    case full
}

/// Rows of one sequence among the rows of a batch, for `attention`.
package struct QuerySegment {
    /// The first of its rows in q and y.
    package let firstRow: Int
    /// Its rows, one after another: the last `rows` of its `positions`.
    package let rows: Int
    /// Positions of the sequence, these rows included.
    package let positions: Int
    /// The sequence's blocks; stays valid and unchanged for the call.
    package let table: UnsafePointer<Int32>

    /// Describes rows whose keys and values are written.
    package init(firstRow: Int, rows: Int, positions: Int, table: UnsafePointer<Int32>) {
        precondition(
            firstRow >= 0 && rows > 0 && rows <= positions,
            "attention: expected 1…\(positions) rows from 0 on, got \(rows) from \(firstRow)"
        )
        self.firstRow = firstRow
        self.rows = rows
        self.positions = positions
        self.table = table
    }
}

/// y = softmax(q·Kᵀ / √d) · V for the last `rows` positions of the cache; q and y are
/// [rows, heads · headDimension].
///
/// The queries stand at positions cache.count-rows … cache.count-1, so the keys and values of these rows
/// are appended first.
package func attention(
    _ q: UnsafePointer<Float>,
    rows: Int,
    heads: Int,
    cache: KeyValueCache,
    mask: AttentionMask,
    into y: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    guard rows > 0 else { return }
    let segment = QuerySegment(
        firstRow: 0,
        rows: rows,
        positions: cache.count,
        table: cache.table
    )
    withUnsafePointer(to: segment) { segment in
        attention(
            q,
            segments: UnsafeBufferPointer(start: segment, count: 1),
            heads: heads,
            blocks: cache.blocks,
            layer: 0,
            mask: mask,
            into: y,
            pool: pool
        )
    }
}

/// y = softmax(q·Kᵀ / √d) · V for rows of several sequences, each over its own keys and values in layer
/// `layer` of `blocks`; q and y are [rows, heads · headDimension].
///
/// Query head h reads kv head h / (heads / keyValueHeads) (grouped queries).
///
/// The softmax is the online one (Milakov and Gimelshein 2018) over tiles of 128 keys that lie at fixed
/// positions 0, 128, 256 …; inside a tile every product is one chain of fused multiply-adds and the sum
/// of the weights has a fixed order. So the bits of a row depend on that row and on its keys only, not
/// on how many rows and sequences the call has, how they are cut into tasks, on the blocks in which the
/// keys lie, or on the threads.
package func attention(
    _ q: UnsafePointer<Float>,
    segments: UnsafeBufferPointer<QuerySegment>,
    heads: Int,
    blocks: KeyValueBlocks,
    layer: Int,
    mask: AttentionMask,
    into y: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    let layout = blocks.layout
    precondition(
        heads % layout.keyValueHeads == 0,
        "attention: expected a multiple of \(layout.keyValueHeads) heads, got \(heads)"
    )
    precondition(
        layout.headDimension <= AttentionBlock.headDimensionLimit,
        "attention: expected heads of at most \(AttentionBlock.headDimensionLimit), "
            + "got \(layout.headDimension)"
    )
    // The rows of one kv head are the pairs (token, head of its group): they share keys and values.
    let group = heads / layout.keyValueHeads
    let parts = segments.reduce(0) { $0 + AttentionBlock.count(pairs: $1.rows * group) }
    pool.run(count: parts * layout.keyValueHeads) { task, worker in
        // Causal rows get longer towards the end, and prompts follow answers in a batch: the longest go
        // first.
        var part = parts - 1 - task / layout.keyValueHeads
        for segment in segments {
            let count = AttentionBlock.count(pairs: segment.rows * group)
            if part >= count {
                part -= count
                continue
            }
            let offset = segment.firstRow * heads * layout.headDimension
            AttentionBlock(
                q: q + offset,
                rows: segment.rows,
                group: group,
                keyValueHeads: layout.keyValueHeads,
                cache: blocks.reader(table: segment.table, layer: layer),
                mask: mask,
                y: y + offset,
                positions: segment.positions,
                head: task % layout.keyValueHeads,
                pairs: evenRange(part, of: count, count: segment.rows * group),
                isWide: pool.kernels == .wide,
                scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
            ).run()
            return
        }
    }
}
