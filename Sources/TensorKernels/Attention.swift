/// Which keys a query sees.
package enum AttentionMask: Sendable {
    /// Those up to its own position: language models.
    case causal
    /// All: the vision tower.
    case full
}

/// y = softmax(q·Kᵀ / √d) · V for the last `rows` positions of the cache; q and y are
/// [rows, heads · headDimension].
///
/// The queries stand at positions cache.count-rows … cache.count-1, so the keys and values of these rows
/// are appended first. Query head h reads kv head h / (heads / keyValueHeads) (grouped queries).
///
/// The softmax is the online one (Milakov and Gimelshein 2018) over tiles of 128 keys that lie at fixed
/// positions 0, 128, 256 …; inside a tile every product is one chain of fused multiply-adds and the sum
/// of the weights has a fixed order. So the bits of a row depend on that row and on its keys only, not
/// on how many rows the call has, how they are cut into tasks, or on the threads.
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
    precondition(
        rows <= cache.count && heads % cache.keyValueHeads == 0,
        "attention: expected at most \(cache.count) rows and a multiple of "
            + "\(cache.keyValueHeads) heads, got \(rows) rows and \(heads) heads"
    )
    precondition(
        cache.headDimension <= AttentionBlock.headDimensionLimit,
        "attention: expected heads of at most \(AttentionBlock.headDimensionLimit), "
            + "got \(cache.headDimension)"
    )
    // The rows of one kv head are the pairs (token, head of its group): they share keys and values.
    let pairs = rows * (heads / cache.keyValueHeads)
    let blocks = (pairs + AttentionBlock.rowLimit - 1) / AttentionBlock.rowLimit
    pool.run(count: blocks * cache.keyValueHeads) { task, worker in
        // Causal rows get longer towards the end: the longest go first.
        let block = blocks - 1 - task / cache.keyValueHeads
        AttentionBlock(
            q: q,
            rows: rows,
            heads: heads,
            cache: cache,
            mask: mask,
            y: y,
            head: task % cache.keyValueHeads,
            pairs: evenRange(block, of: blocks, count: pairs),
            scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
        ).run()
    }
}

/// The pairs (token, head of the group) of one task, in tiles of up to 6.
///
/// Four tiles share each 128 keys while these lie in the second-level cache.
private struct AttentionBlock {
    /// Pairs in one task.
    static let rowLimit = 24
    /// Bound by the scratch memory of a worker.
    static let headDimensionLimit = 2048
    /// Keys in one step of the online softmax.
    static let keyCount = 128

    let q: UnsafePointer<Float>
    let rows: Int
    let heads: Int
    let cache: KeyValueCache
    let mask: AttentionMask
    let y: UnsafeMutablePointer<Float>
    /// The kv head.
    let head: Int
    let pairs: Range<Int>
    let scratch: UnsafeMutablePointer<Float>

    func run() {
        let tiles = (pairs.count + 5) / 6
        for tile in 0..<tiles { loadQueries(tilePairs(tile, of: tiles)) }
        for row in 0..<pairs.count { maxima[row] = -.infinity }
        let keys = limit(ofPair: pairs.upperBound - 1)
        for start in stride(from: 0, to: keys, by: Self.keyCount) {
            for tile in 0..<tiles {
                let range = tilePairs(tile, of: tiles)
                let end = min(limit(ofPair: range.upperBound - 1), start + Self.keyCount)
                if end > start { attend(range, to: start..<end) }
            }
        }
        for pair in pairs { finish(pair) }
    }

    // MARK: - One tile of rows, one tile of keys

    private func attend(_ tile: Range<Int>, to keys: Range<Int>) {
        let panels = (keys.count + 15) / 16
        for panel in 0..<panels {
            multiplyTile(
                Float32Lanes.self,
                height: tile.count,
                queries(tile),
                panel: cache.keyPanel(keys.lowerBound / 16 + panel, head: head),
                steps: cache.headDimension,
                bias: nil,
                isFirst: true,
                into: scores + panel * 16,
                stride: Self.keyCount
            )
        }
        for (row, pair) in tile.enumerated() {
            weigh(
                scores + row * Self.keyCount,
                count: limit(ofPair: pair) - keys.lowerBound,
                width: panels * 16,
                pair: pair
            )
        }
        for panel in 0..<((cache.headDimension + 15) / 16) {
            addValues(
                height: tile.count,
                cache.valuePanel(panel, head: head, position: keys.lowerBound),
                count: keys.count,
                into: sums(tile.lowerBound) + panel * 16
            )
        }
    }

    /// Turns the scores of one row into weights e^(score - maximum), and scales what the row has summed
    /// up under an earlier maximum.
    ///
    /// - Parameters:
    ///   - count: keys the row sees, counted from the start of the tile; the rest gets weight 0.
    ///   - width: numbers in the row, a multiple of 16.
    private func weigh(
        _ row: UnsafeMutablePointer<Float>,
        count: Int,
        width: Int,
        pair: Int
    ) {
        let index = pair - pairs.lowerBound
        for column in max(count, 0)..<max(width, max(count, 0)) { row[column] = -.infinity }
        let highest = max(maxima[index], maximum(of: row, width: width))
        let correction = exponential(SIMD8(repeating: maxima[index] - highest))[0]
        var total = SIMD8<Float>.zero
        for column in stride(from: 0, to: width, by: 8) {
            let weights = exponential(load8(row + column) - highest)
            store8(weights, into: row + column)
            total += weights
        }
        if maxima[index] == -.infinity {
            totals[index] = total.sum()
            sums(pair).update(repeating: 0, count: sumStride)
        } else {
            totals[index] = totals[index] * correction + total.sum()
            if correction != 1 { scale(sums(pair), by: correction) }
        }
        maxima[index] = highest
    }

    @inline(__always)
    private func maximum(of row: UnsafePointer<Float>, width: Int) -> Float {
        var highest = load8(row)
        for column in stride(from: 8, to: width, by: 8) {
            let next = load8(row + column)
            highest.replace(with: next, where: next .> highest)
        }
        var result = highest[0]
        for lane in 1..<8 where highest[lane] > result { result = highest[lane] }
        return result
    }

    /// sums[row] += Σ weights[row][key] · values[key], 16 columns.
    private func addValues(
        height: Int,
        _ values: UnsafePointer<Float>,
        count: Int,
        into sums: UnsafeMutablePointer<Float>
    ) {
        switch height {
        case 6: add(values, count, sums, InlineArray<6, SIMD16<Float>>(repeating: .zero))
        case 5: add(values, count, sums, InlineArray<5, SIMD16<Float>>(repeating: .zero))
        case 4: add(values, count, sums, InlineArray<4, SIMD16<Float>>(repeating: .zero))
        case 3: add(values, count, sums, InlineArray<3, SIMD16<Float>>(repeating: .zero))
        case 2: add(values, count, sums, InlineArray<2, SIMD16<Float>>(repeating: .zero))
        default: add(values, count, sums, InlineArray<1, SIMD16<Float>>(repeating: .zero))
        }
    }

    @inline(__always)
    private func add<let height: Int>(
        _ values: UnsafePointer<Float>,
        _ count: Int,
        _ sums: UnsafeMutablePointer<Float>,
        _ zeros: InlineArray<height, SIMD16<Float>>
    ) {
        var acc = zeros
        for row in 0..<height { acc[row] = load16(sums + row &* sumStride) }
        Microkernel.accumulate(
            Float32Lanes.self,
            scores,
            rowStride: Self.keyCount,
            stepStride: 1,
            panel: values,
            steps: count,
            &acc
        )
        for row in 0..<height { store16(acc[row], into: sums + row &* sumStride) }
    }

    private func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float) {
        for column in stride(from: 0, to: sumStride, by: 8) {
            store8(load8(x + column) * factor, into: x + column)
        }
    }

    // MARK: - Rows in and out

    /// Copies the tile's queries, scaled by 1/√d, interleaved for the microkernel.
    private func loadQueries(_ tile: Range<Int>) {
        let dimension = cache.headDimension
        let factor = 1 / Float(dimension).squareRoot()
        // The sums are not in use yet: their place holds the scaled rows.
        let staged = sums(tile.lowerBound)
        for (row, pair) in tile.enumerated() {
            let source = q + offset(ofPair: pair)
            for column in 0..<dimension {
                staged[row * sumStride + column] = source[column] * factor
            }
        }
        interleaveRows(
            staged,
            rows: tile.count,
            stride: sumStride,
            steps: dimension,
            into: queries(tile)
        )
    }

    /// y = sums / total. Adding 0 turns -0 into 0: whether a sum that underflowed is -0 may depend on
    /// how many keys of weight 0 followed.
    private func finish(_ pair: Int) {
        let factor = 1 / totals[pair - pairs.lowerBound]
        let sums = sums(pair)
        let y = y + offset(ofPair: pair)
        for column in 0..<cache.headDimension { y[column] = sums[column] * factor + 0 }
    }

    private func tilePairs(_ tile: Int, of tiles: Int) -> Range<Int> {
        let range = evenRange(tile, of: tiles, count: pairs.count)
        return (pairs.lowerBound + range.lowerBound)..<(pairs.lowerBound + range.upperBound)
    }

    /// Keys that a pair sees.
    private func limit(ofPair pair: Int) -> Int {
        switch mask {
        case .full: cache.count
        case .causal: cache.count - rows + pair / (heads / cache.keyValueHeads) + 1
        }
    }

    /// Where the numbers of a pair begin in q and y.
    private func offset(ofPair pair: Int) -> Int {
        let group = heads / cache.keyValueHeads
        return (pair / group * heads + head * group + pair % group) * cache.headDimension
    }

    // MARK: - Scratch memory: maxima, totals, scores, sums, queries

    private var maxima: UnsafeMutablePointer<Float> { scratch }
    private var totals: UnsafeMutablePointer<Float> { scratch + 32 }
    private var scores: UnsafeMutablePointer<Float> { scratch + 64 }
    private var sumStride: Int { (cache.headDimension + 15) / 16 * 16 }

    private func sums(_ pair: Int) -> UnsafeMutablePointer<Float> {
        scratch + 64 + 6 * Self.keyCount + (pair - pairs.lowerBound) * sumStride
    }

    private func queries(_ tile: Range<Int>) -> UnsafeMutablePointer<Float> {
        // A column more than it takes: interleaving writes a little beyond the end.
        sums(pairs.lowerBound) + Self.rowLimit * sumStride
            + (tile.lowerBound - pairs.lowerBound) * (cache.headDimension + 8)
    }
}
