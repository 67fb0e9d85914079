import Foundation
import TensorKernels
import Testing

@Suite("Attention")
struct AttentionTests {
    /// Queries, keys and values of `positions` positions.
    struct Case {
        let positions: Int
        let heads: Int
        let keyValueHeads: Int
        let dimension: Int
        let q: [Float]
        let k: [Float]
        let v: [Float]

        init(positions: Int, heads: Int, keyValueHeads: Int, dimension: Int, seed: UInt64) {
            self.positions = positions
            self.heads = heads
            self.keyValueHeads = keyValueHeads
            self.dimension = dimension
            var numbers = SeededNumbers(seed: seed)
            q = numbers.floats(positions * heads * dimension, scale: 3)
            k = numbers.floats(positions * keyValueHeads * dimension, scale: 3)
            v = numbers.floats(positions * keyValueHeads * dimension)
        }

        /// Appends and attends chunk by chunk; some positions too many are appended and taken back first.
        func run(mask: AttentionMask, chunk: Int, pool: ComputeThreadPool) -> [Float] {
            let cache = KeyValueCache(
                capacity: positions + 9,
                keyValueHeads: keyValueHeads,
                headDimension: dimension
            )
            var y = [Float](repeating: .nan, count: q.count)
            y.apply { y in
                q.withUnsafeBufferPointer { q in
                    for start in stride(from: 0, to: positions, by: chunk) {
                        let rows = min(chunk, positions - start)
                        cache.append(keys: q.baseAddress.unsafelyUnwrapped, values: v, rows: 1)
                        cache.truncate(to: start)
                        append(start..<(start + rows), to: cache)
                        let offset = start * heads * dimension
                        attention(
                            q.baseAddress.unsafelyUnwrapped + offset,
                            rows: rows,
                            heads: heads,
                            cache: cache,
                            mask: mask,
                            into: y + offset,
                            pool: pool
                        )
                    }
                }
            }
            return y
        }

        private func append(_ rows: Range<Int>, to cache: KeyValueCache) {
            let stride = keyValueHeads * dimension
            let range = (rows.lowerBound * stride)..<(rows.upperBound * stride)
            cache.append(keys: Array(k[range]), values: Array(v[range]), rows: rows.count)
        }

        /// The slow twin in f64: result and the largest |value| a row can see.
        func twin(mask: AttentionMask, row: Int, head: Int) -> [Double] {
            let limit = mask == .full ? positions : row + 1
            let offset = head / (heads / keyValueHeads) * dimension
            let stride = keyValueHeads * dimension
            let scores = (0..<limit).map { key in
                (0..<dimension).reduce(0.0) {
                    $0 + Double(q[(row * heads + head) * dimension + $1])
                        * Double(k[key * stride + offset + $1])
                } / Double(dimension).squareRoot()
            }
            let highest = scores.max() ?? 0
            let weights = scores.map { exp($0 - highest) }
            let total = weights.reduce(0, +)
            return (0..<dimension).map { column in
                weights.indices.reduce(0.0) {
                    $0 + weights[$1] * Double(v[$1 * stride + offset + column])
                } / total
            }
        }
    }

    /// Values are at most 1 in size, scores at most about 60; f32 scores are off by 2e-5 at most.
    @Test(
        "is within 3e-5 of f64 for odd head dimensions, grouped heads and both masks",
        arguments: [AttentionMask.causal, .full],
        [
            (1, 1, 1, 1), (5, 2, 1, 24), (40, 14, 2, 64), (150, 4, 4, 72), (131, 3, 3, 80),
            (270, 6, 1, 33),
            (17, 2, 2, 128),
        ]
    )
    func bound(
        mask: AttentionMask,
        shape: (positions: Int, heads: Int, kvHeads: Int, dimension: Int)
    ) {
        let pool = ComputeThreadPool(threads: 2, name: "test")
        let seed = UInt64(shape.positions * 131 + shape.dimension)
        let this = Case(
            positions: shape.positions,
            heads: shape.heads,
            keyValueHeads: shape.kvHeads,
            dimension: shape.dimension,
            seed: seed
        )
        let y = this.run(mask: mask, chunk: shape.positions, pool: pool)
        for row in Set([0, shape.positions / 3, shape.positions - 1]) {
            for head in 0..<shape.heads {
                let expected = this.twin(mask: mask, row: row, head: head)
                for (column, value) in expected.enumerated() {
                    let index = (row * shape.heads + head) * shape.dimension + column
                    #expect(
                        (Double(y[index]) - value).magnitude <= 3e-5,
                        "row \(row), head \(head), column \(column), seed \(seed)"
                    )
                }
            }
        }
    }

    @Test(
        """
        gives a row the same bits however prefill is cut, however many threads share it and with either set of \
        kernels
        """,
        arguments: [(300, 14, 2, 64), (150, 4, 4, 72), (40, 2, 1, 24), (70, 2, 2, 16)]
    )
    func bits(shape: (positions: Int, heads: Int, kvHeads: Int, dimension: Int)) {
        let this = Case(
            positions: shape.positions,
            heads: shape.heads,
            keyValueHeads: shape.kvHeads,
            dimension: shape.dimension,
            seed: 77
        )
        var expected: [UInt32]?
        for pool in Self.pools() {
            for chunk in [shape.positions, 1, 7, 64] {
                let bits = this.run(mask: .causal, chunk: chunk, pool: pool).bits
                if let expected {
                    #expect(bits == expected, "chunk \(chunk), \(pool.threadCount) threads")
                } else {
                    expected = bits
                }
            }
        }
    }

    @Test("full attention gives the same bits with any number of threads and either set of kernels")
    func fullBits() {
        let this = Case(positions: 200, heads: 3, keyValueHeads: 3, dimension: 72, seed: 5)
        let results = Self.pools().map { this.run(mask: .full, chunk: 200, pool: $0).bits }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    static func pools() -> [ComputeThreadPool] {
        KernelSet.allCases.filter(\.isSupported).flatMap { makePools(kernels: $0) }
    }

    @Test("rows that several threads write to the cache lie where one thread puts them")
    func sharedWriting() {
        let rows = 300
        var numbers = SeededNumbers(seed: 9)
        let (k, v) = (numbers.floats(rows * 144), numbers.floats(rows * 144))
        let q = numbers.floats(144)
        let results = [nil, makePools()[1], makePools()[2]].map { pool in
            let cache = KeyValueCache(capacity: 310, keyValueHeads: 2, headDimension: 72)
            cache.append(keys: v, values: k, rows: 7)
            cache.append(keys: k, values: v, rows: rows, pool: pool)
            var y = [Float](repeating: .nan, count: 144)
            let own = ComputeThreadPool(threads: 1, name: "test")
            y.apply {
                attention(q, rows: 1, heads: 2, cache: cache, mask: .full, into: $0, pool: own)
            }
            return y.bits
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test("counts the bytes of a cache in whole blocks, with the padding of their panels")
    func bytes() {
        #expect(
            KeyValueCache.byteCount(capacity: 100, keyValueHeads: 2, headDimension: 72)
                == 2 * (128 * 72 + 80 * 128) * 4
        )
    }
}
