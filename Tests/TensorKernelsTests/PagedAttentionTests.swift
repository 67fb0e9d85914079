import TensorKernels
import Testing

/// Several sequences in one call, their keys and values in blocks anywhere in memory.
///
/// What breaks silently: a row that sees a neighbour's keys, or another order of sums when its keys lie in
/// other blocks; answers would then depend on the company they are computed in.
@Suite("Attention over blocks")
struct PagedAttentionTests {
    /// One sequence: `held` positions written before, `rows` more computed in the batch.
    struct Sequence {
        let held: Int
        let rows: Int
        let q: [Float]
        let k: [Float]
        let v: [Float]
    }

    static let (heads, kvHeads, dimension) = (6, 2, 40)

    @Test("gives every row the bits it has alone, in any company and any blocks", arguments: 1...6)
    func company(seed: UInt64) {
        var numbers = SeededNumbers(seed: seed)
        let sequences = (0..<Int.random(in: 2...7, using: &numbers)).map { _ -> Sequence in
            let held = [0, 1, 63, 64, 100, 130, 200].randomElement(using: &numbers) ?? 0
            let rows = [1, 1, 2, 17, 70, 129].randomElement(using: &numbers) ?? 1
            let stride = Self.kvHeads * Self.dimension
            return Sequence(
                held: held,
                rows: rows,
                q: numbers.floats(rows * Self.heads * Self.dimension, scale: 3),
                k: numbers.floats((held + rows) * stride, scale: 3),
                v: numbers.floats((held + rows) * stride)
            )
        }
        let alone = sequences.flatMap(Self.alone)
        for pool in makePools() {
            let together = Self.together(sequences, &numbers, pool)
            #expect(together.bits == alone.bits, "seed \(seed), \(pool.threadCount) threads")
        }
    }

    @Test("a block copied for a second sequence keeps what both begin with")
    func copiedBlock() {
        let layout = KeyValueLayout(layers: 2, keyValueHeads: 1, headDimension: 24)
        let blocks = KeyValueBlocks(layout: layout, count: 2)
        var numbers = SeededNumbers(seed: 3)
        let (k, v) = (numbers.floats(30 * 24), numbers.floats(30 * 24))
        let q = numbers.floats(24)
        for layer in 0..<2 {
            blocks.write(keys: k, values: v, rows: 30, table: [0], first: 0, layer: layer)
        }
        blocks.copy(0, to: 1)
        blocks.write(keys: v, values: k, rows: 1, table: [0], first: 20, layer: 1)
        for layer in 0..<2 {
            let copied = Self.row(q, 21, [1], blocks, layer)
            let original = Self.row(q, 21, [0], blocks, layer)
            #expect((copied == original) == (layer == 0))
            #expect(Self.row(q, 20, [1], blocks, layer) == Self.row(q, 20, [0], blocks, layer))
        }
    }

    private static func row(
        _ q: [Float],
        _ positions: Int,
        _ table: [Int32],
        _ blocks: KeyValueBlocks,
        _ layer: Int
    ) -> [Float] {
        var y = [Float](repeating: .nan, count: q.count)
        table.withUnsafeBufferPointer { table in
            guard let table = table.baseAddress else { return }
            let segments = [
                QuerySegment(firstRow: 0, rows: 1, positions: positions, table: table)
            ]
            y.apply { y in
                segments.withUnsafeBufferPointer {
                    attention(
                        q,
                        segments: $0,
                        heads: 1,
                        blocks: blocks,
                        layer: layer,
                        mask: .causal,
                        into: y,
                        pool: makePools()[0]
                    )
                }
            }
        }
        return y
    }

    private static func alone(_ sequence: Sequence) -> [Float] {
        let cache = KeyValueCache(
            capacity: sequence.held + sequence.rows,
            keyValueHeads: kvHeads,
            headDimension: dimension
        )
        cache.append(keys: sequence.k, values: sequence.v, rows: sequence.held + sequence.rows)
        var y = [Float](repeating: .nan, count: sequence.q.count)
        y.apply { y in
            attention(
                sequence.q,
                rows: sequence.rows,
                heads: heads,
                cache: cache,
                mask: .causal,
                into: y,
                pool: makePools()[0]
            )
        }
        return y
    }

    /// All sequences in one call, in the second of three layers, each in blocks drawn by lot.
    private static func together(
        _ sequences: [Sequence],
        _ numbers: inout SeededNumbers,
        _ pool: ComputeThreadPool
    ) -> [Float] {
        let counts = sequences.map { KeyValueLayout.blockCount(positions: $0.held + $0.rows) }
        let total = counts.reduce(0, +)
        let blocks = KeyValueBlocks(
            layout: KeyValueLayout(layers: 3, keyValueHeads: kvHeads, headDimension: dimension),
            count: total
        )
        let drawn = (0..<Int32(total)).shuffled(using: &numbers)
        var y = [Float](repeating: .nan, count: sequences.reduce(0) { $0 + $1.q.count })
        drawn.withUnsafeBufferPointer { drawn in
            guard var table = drawn.baseAddress else { return }
            var segments: [QuerySegment] = []
            var row = 0
            for (sequence, count) in zip(sequences, counts) {
                blocks.write(
                    keys: sequence.k,
                    values: sequence.v,
                    rows: sequence.held + sequence.rows,
                    table: table,
                    first: 0,
                    layer: 1
                )
                segments.append(
                    QuerySegment(
                        firstRow: row,
                        rows: sequence.rows,
                        positions: sequence.held + sequence.rows,
                        table: table
                    )
                )
                row += sequence.rows
                table += count
            }
            let q = sequences.flatMap(\.q)
            y.apply { y in
                segments.withUnsafeBufferPointer {
                    attention(
                        q,
                        segments: $0,
                        heads: heads,
                        blocks: blocks,
                        layer: 1,
                        mask: .causal,
                        into: y,
                        pool: pool
                    )
                }
            }
        }
        return y
    }
}
