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
    let positions = cache.count
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
            positions: positions,
            head: task % cache.keyValueHeads,
            pairs: evenRange(block, of: blocks, count: pairs),
            scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
        ).run()
    }
}

/// The pairs (token, head of the group) of one task, in tiles of up to 6.
///
/// Each panel of keys or values (4–8 KiB) meets all tiles while it lies in the first-level cache. Against
/// one tile at a time that gained 4 points of the peak at 729 positions × 16 heads of 72 (46 to 50 %)
/// and 6 at 1024 × 14 of 64, causal (56 to 62 %); in quiet moments 67–69 %. 12, 24 and 48 pairs, and
/// 256 keys at a time, are equal within the noise. A seventh of the time goes into the softmax.
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
    /// Positions in the cache; read once, because every read of the class's variable is checked.
    let positions: Int
    /// The kv head.
    let head: Int
    let pairs: Range<Int>
    let scratch: UnsafeMutablePointer<Float>

    func run() {
        let tiles = (pairs.count + 5) / 6
        for tile in 0..<tiles { loadQueries(tilePairs(tile, of: tiles)) }
        for row in 0..<pairs.count { maxima[row] = -.infinity }
        let limit = limit(ofPair: pairs.upperBound - 1)
        for start in stride(from: 0, to: limit, by: Self.keyCount) {
            attend(to: start..<min(start + Self.keyCount, limit), tiles: tiles)
        }
        for pair in pairs { finish(pair) }
    }

    // MARK: - All rows, one tile of keys

    private func attend(to keys: Range<Int>, tiles: Int) {
        let panels = (keys.count + 15) / 16
        for panel in 0..<panels {
            let first = keys.lowerBound + panel * 16
            let keyPanel = cache.keyPanel(first / 16, head: head)
            for tile in 0..<tiles {
                let range = tilePairs(tile, of: tiles)
                if limit(ofPair: range.upperBound - 1) <= first { continue }
                multiplyTile(
                    Float32Lanes.self,
                    height: range.count,
                    queries(range),
                    panel: keyPanel,
                    steps: cache.headDimension,
                    bias: nil,
                    isFirst: true,
                    into: scores(range.lowerBound) + panel * 16,
                    stride: Self.keyCount
                )
            }
        }
        for tile in 0..<tiles {
            let range = tilePairs(tile, of: tiles)
            let count = keyCount(of: range, in: keys)
            if count <= 0 { continue }
            for pair in range {
                weigh(
                    pair,
                    count: limit(ofPair: pair) - keys.lowerBound,
                    width: (count + 15) / 16 * 16
                )
            }
        }
        for panel in 0..<((cache.headDimension + 15) / 16) {
            let values = cache.valuePanel(panel, head: head, position: keys.lowerBound)
            for tile in 0..<tiles {
                let range = tilePairs(tile, of: tiles)
                let count = keyCount(of: range, in: keys)
                if count <= 0 { continue }
                addValues(
                    height: range.count,
                    scores(range.lowerBound),
                    values,
                    count: count,
                    into: sums(range.lowerBound) + panel * 16
                )
            }
        }
    }

    /// Keys of the tile that any row of `range` sees; the last row sees most.
    private func keyCount(of range: Range<Int>, in keys: Range<Int>) -> Int {
        min(limit(ofPair: range.upperBound - 1), keys.upperBound) - keys.lowerBound
    }

    /// Turns the scores of one row into weights e^(score - maximum), and scales what the row has summed
    /// up under an earlier maximum.
    ///
    /// - Parameters:
    ///   - count: keys the row sees, counted from the start of the tile; the rest gets weight 0.
    ///   - width: numbers in the row, a multiple of 16.
    private func weigh(_ pair: Int, count: Int, width: Int) {
        let index = pair - pairs.lowerBound
        let row = scores(pair)
        var hidden = max(count, 0)
        while hidden < width {
            row[hidden] = -.infinity
            hidden += 1
        }
        let highest = max(maxima[index], maximum(of: row, width: width))
        var total = SIMD8<Float>.zero
        var column = 0
        while column < width {
            let weights = exponentialOfNonPositive(load8(row + column) - highest)
            store8(weights, into: row + column)
            total += weights
            column += 8
        }
        if maxima[index] == -.infinity {
            totals[index] = total.sum()
            sums(pair).update(repeating: 0, count: sumStride)
        } else if maxima[index] == highest {
            totals[index] += total.sum()
        } else {
            let correction = exponentialOfNonPositive(
                SIMD8(repeating: maxima[index] - highest)
            )[0]
            totals[index] = totals[index] * correction + total.sum()
            scale(sums(pair), by: correction)
        }
        maxima[index] = highest
    }

    @inline(__always)
    private func maximum(of row: UnsafePointer<Float>, width: Int) -> Float {
        var highest = load8(row)
        var column = 8
        while column < width {
            let next = load8(row + column)
            highest.replace(with: next, where: next .> highest)
            column += 8
        }
        var result = highest[0]
        for lane in 1..<8 where highest[lane] > result { result = highest[lane] }
        return result
    }

    /// sums[row] += Σ weights[row][key] · values[key], 16 columns.
    private func addValues(
        height: Int,
        _ weights: UnsafePointer<Float>,
        _ values: UnsafePointer<Float>,
        count: Int,
        into sums: UnsafeMutablePointer<Float>
    ) {
        switch height {
        case 6: add(weights, values, count, sums, InlineArray<6, SIMD16<Float>>(repeating: .zero))
        case 5: add(weights, values, count, sums, InlineArray<5, SIMD16<Float>>(repeating: .zero))
        case 4: add(weights, values, count, sums, InlineArray<4, SIMD16<Float>>(repeating: .zero))
        case 3: add(weights, values, count, sums, InlineArray<3, SIMD16<Float>>(repeating: .zero))
        case 2: add(weights, values, count, sums, InlineArray<2, SIMD16<Float>>(repeating: .zero))
        default: add(weights, values, count, sums, InlineArray<1, SIMD16<Float>>(repeating: .zero))
        }
    }

    @inline(__always)
    private func add<let height: Int>(
        _ weights: UnsafePointer<Float>,
        _ values: UnsafePointer<Float>,
        _ count: Int,
        _ sums: UnsafeMutablePointer<Float>,
        _ zeros: InlineArray<height, SIMD16<Float>>
    ) {
        var acc = zeros
        for row in 0..<height { acc[row] = load16(sums + row &* sumStride) }
        Microkernel.accumulate(
            Float32Lanes.self,
            weights,
            rowStride: Self.keyCount,
            stepStride: 1,
            panel: values,
            steps: count,
            &acc
        )
        for row in 0..<height { store16(acc[row], into: sums + row &* sumStride) }
    }

    private func scale(_ x: UnsafeMutablePointer<Float>, by factor: Float) {
        var column = 0
        while column < sumStride {
            store16(load16(x + column) * factor, into: x + column)
            column += 16
        }
    }

    // MARK: - Rows in and out

    /// Copies the tile's queries, scaled by 1/√d, interleaved for the microkernel.
    private func loadQueries(_ tile: Range<Int>) {
        let dimension = cache.headDimension
        let factor = 1 / Float(dimension).squareRoot()
        // The sums are not in use yet: their place holds the scaled rows.
        for pair in tile {
            let staged = sums(pair)
            staged.update(from: q + offset(ofPair: pair), count: dimension)
            // Numbers beyond the row are scaled along, so they must be numbers.
            (staged + dimension).update(repeating: 0, count: sumStride - dimension)
            scale(staged, by: factor)
        }
        interleaveRows(
            sums(tile.lowerBound),
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
        var column = 0
        while column < sumStride {
            store16(load16(sums + column) * factor + 0, into: sums + column)
            column += 16
        }
        (y + offset(ofPair: pair)).update(from: sums, count: cache.headDimension)
    }

    private func tilePairs(_ tile: Int, of tiles: Int) -> Range<Int> {
        let range = evenRange(tile, of: tiles, count: pairs.count)
        return (pairs.lowerBound + range.lowerBound)..<(pairs.lowerBound + range.upperBound)
    }

    /// Keys that a pair sees.
    private func limit(ofPair pair: Int) -> Int {
        switch mask {
        case .full: positions
        case .causal: positions - rows + pair / (heads / cache.keyValueHeads) + 1
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
    private var sumStride: Int { (cache.headDimension + 15) / 16 * 16 }

    /// [keyCount] for each pair.
    private func scores(_ pair: Int) -> UnsafeMutablePointer<Float> {
        scratch + 64 + (pair - pairs.lowerBound) * Self.keyCount
    }

    /// [sumStride] for each pair.
    private func sums(_ pair: Int) -> UnsafeMutablePointer<Float> {
        scratch + 64 + Self.rowLimit * Self.keyCount + (pair - pairs.lowerBound) * sumStride
    }

    /// [headDimension][rows] for each tile, and some room that interleaving writes over.
    private func queries(_ tile: Range<Int>) -> UnsafeMutablePointer<Float> {
        sums(pairs.lowerBound) + Self.rowLimit * sumStride
            + (tile.lowerBound - pairs.lowerBound) * (cache.headDimension + 8)
    }
}
