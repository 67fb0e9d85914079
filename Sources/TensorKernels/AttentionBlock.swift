internal import WideKernels

/// The pairs (token, head of the group) of one task, in tiles of up to 6.
///
/// Each panel of keys or values (4–8 KiB) meets all tiles while it lies in the first-level cache. Against
/// one tile at a time that gained 4 points of the peak at 729 positions × 16 heads of 72 (46 to 50 %)
/// and 6 at 1024 × 14 of 64, causal (56 to 62 %); in quiet moments 67–69 %. 12, 24 and 48 pairs, and
/// 256 keys at a time, are equal within the noise. A seventh of the time goes into the softmax.
///
/// With `KernelSet.wide`, two panels and 16 exponentials at once: 190 ms of a processor become 85 for the attention
/// of a prompt of 512 in Qwen2-0.5B's shape (Emerald Rapids, one thread, two interleaved runs each).
struct AttentionBlock {
    /// Pairs in one task.
    static let rowLimit = 24
    /// Bound by the scratch memory of a worker.
    static let headDimensionLimit = 2048
    /// Keys in one step of the online softmax.
    static let keyCount = 128

    let q: UnsafePointer<Float>
    let rows: Int
    /// Query heads that share a kv head.
    let group: Int
    let keyValueHeads: Int
    let cache: KeyValueReader
    let mask: AttentionMask
    let y: UnsafeMutablePointer<Float>
    /// Positions of the sequence.
    let positions: Int
    /// The kv head.
    let head: Int
    let pairs: Range<Int>
    /// Two panels at once, in 512-bit registers: the same chains.
    let isWide: Bool
    let scratch: UnsafeMutablePointer<Float>

    /// Tasks of one kv head for so many pairs.
    static func count(pairs: Int) -> Int { (pairs + rowLimit - 1) / rowLimit }

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
        score(keys, tiles: tiles)
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
        let panels = (cache.headDimension + 15) / 16
        for panel in stride(from: 0, to: panels, by: isWide ? 2 : 1) {
            for tile in 0..<tiles {
                let range = tilePairs(tile, of: tiles)
                let count = keyCount(of: range, in: keys)
                if count <= 0 { continue }
                addValues(
                    height: range.count,
                    scores(range.lowerBound),
                    panel: panel,
                    position: keys.lowerBound,
                    count: count,
                    into: sums(range.lowerBound) + panel * 16
                )
            }
        }
    }

    /// Products of all queries with some keys; where none of a tile's rows sees a panel's keys, any numbers.
    private func score(_ keys: Range<Int>, tiles: Int) {
        let panels = (keys.count + 15) / 16
        if isWide {
            // A block holds four panels, so the second one of a pair exists, whatever lies in it.
            for panel in stride(from: 0, to: panels, by: 2) {
                scorePair(keys.lowerBound + panel * 16, tiles: tiles, into: panel * 16)
            }
            return
        }
        for panel in 0..<panels {
            let first = keys.lowerBound + panel * 16
            let keyPanel = cache.keyPanel(first / 16, head: head)
            for tile in 0..<tiles {
                let range = tilePairs(tile, of: tiles)
                if limit(ofPair: range.upperBound - 1) <= first { continue }
                multiplyTile(
                    Float32Lanes.self,
                    height: range.count,
                    queries(range.lowerBound),
                    panel: keyPanel,
                    steps: cache.headDimension,
                    bias: nil,
                    isFirst: true,
                    into: scores(range.lowerBound) + panel * 16,
                    stride: Self.keyCount
                )
            }
        }
    }

    /// Keys `first` to `first` + 31 and all tiles that see one of them: later tiles see more.
    private func scorePair(_ first: Int, tiles: Int, into column: Int) {
        var tile = 0
        while tile < tiles, limit(ofPair: tilePairs(tile, of: tiles).upperBound - 1) <= first {
            tile += 1
        }
        guard tile < tiles else { return }
        let pair = tilePairs(tile, of: tiles).lowerBound
        multiplyPanelPair(
            float32Panels,
            cache.keyPanel(first / 16, head: head),
            panelStride: cache.headDimension * 16 * MemoryLayout<Float>.size,
            steps: cache.headDimension,
            queries(pair),
            rowCount: pairs.upperBound - pair,
            tiles: tiles - tile,
            bias: nil,
            isFirst: true,
            next: nil,
            nextStride: 0,
            nextByteCount: 0,
            into: scores(pair) + column,
            stride: Self.keyCount
        )
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
        let total =
            isWide
            ? rowExponentials(row, width: width, minus: highest)
            : exponentials(row, width: width, minus: highest)
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

    /// e^(x - highest) in place, and the sums of lanes 0…7.
    @inline(__always)
    private func exponentials(
        _ row: UnsafeMutablePointer<Float>,
        width: Int,
        minus highest: Float
    ) -> SIMD8<Float> {
        var total = SIMD8<Float>.zero
        var column = 0
        while column < width {
            let weights = exponentialOfNonPositive(load8(row + column) - highest)
            store8(weights, into: row + column)
            total += weights
            column += 8
        }
        return total
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

    /// sums[row] += Σ weights[row][key] · values[key], 16 columns or two panels of them, keys from `position` on.
    private func addValues(
        height: Int,
        _ weights: UnsafePointer<Float>,
        panel: Int,
        position: Int,
        count: Int,
        into sums: UnsafeMutablePointer<Float>
    ) {
        if isWide {
            let block = position / KeyValueLayout.blockPositions
            let isPair = (panel + 1) * 16 < cache.headDimension
            let blocks = count > KeyValueLayout.blockPositions ? 2 : 1
            addWeightedValues(
                first: cache.valuePanel(panel, head: head, block: block),
                second: cache.valuePanel(panel, head: head, block: block + blocks - 1),
                panelStride: isPair ? cache.valuePanelBytes : 0,
                keys: count,
                weights: weights,
                height: height,
                into: sums,
                stride: sumStride
            )
            return
        }
        let values = ValueColumns(
            cache: cache,
            head: head,
            panel: panel,
            position: position,
            count: count,
            weights: weights,
            sums: sums,
            stride: sumStride
        )
        switch height {
        case 6: values.add(InlineArray<6, SIMD16<Float>>(repeating: .zero))
        case 5: values.add(InlineArray<5, SIMD16<Float>>(repeating: .zero))
        case 4: values.add(InlineArray<4, SIMD16<Float>>(repeating: .zero))
        case 3: values.add(InlineArray<3, SIMD16<Float>>(repeating: .zero))
        case 2: values.add(InlineArray<2, SIMD16<Float>>(repeating: .zero))
        default: values.add(InlineArray<1, SIMD16<Float>>(repeating: .zero))
        }
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
            into: queries(tile.lowerBound)
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
        case .causal: positions - rows + pair / group + 1
        }
    }

    /// Where the numbers of a pair begin in q and y.
    private func offset(ofPair pair: Int) -> Int {
        let heads = group * keyValueHeads
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

    /// [headDimension][rows] for each tile, here the one that begins with `pair`; interleaving writes a little
    /// over the end of a tile, so they are written in order.
    private func queries(_ pair: Int) -> UnsafeMutablePointer<Float> {
        sums(pairs.lowerBound) + Self.rowLimit * sumStride
            + (pair - pairs.lowerBound) * cache.headDimension
    }
}

/// The arguments of `AttentionBlock.addValues`.
private struct ValueColumns {
    let cache: KeyValueReader
    let head: Int
    let panel: Int
    /// A multiple of 128.
    let position: Int
    let count: Int
    let weights: UnsafePointer<Float>
    let sums: UnsafeMutablePointer<Float>
    let stride: Int

    /// One chain for each row and column through all blocks, as if the values lay in one piece.
    @inline(__always)
    func add<let height: Int>(_ zeros: InlineArray<height, SIMD16<Float>>) {
        let size = KeyValueLayout.blockPositions
        var acc = zeros
        for row in 0..<height { acc[row] = load16(sums + row &* stride) }
        var start = 0
        while start < count {
            Microkernel.accumulate(
                Float32Lanes.self,
                weights + start,
                rowStride: AttentionBlock.keyCount,
                stepStride: 1,
                panel: cache.valuePanel(panel, head: head, block: (position + start) / size),
                steps: min(size, count - start),
                &acc
            )
            start += size
        }
        for row in 0..<height { store16(acc[row], into: sums + row &* stride) }
    }
}
