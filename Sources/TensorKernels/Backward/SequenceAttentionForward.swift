internal import Glibc

/// y = softmax(q·Kᵀ / √d) · V over independent sequences laid one after another in the rows of a batch,
/// and the logarithm of each softmax's sum, from which the backward kernel makes the weights again.
///
/// Query head h reads kv head h / (heads / keyValueHeads). One task is a sequence and a kv head. The
/// softmax is the online one (Milakov and Gimelshein 2018) over blocks of at most 128 keys of one
/// segment; the blocks depend on the sequence only, so threads never change a bit of the result. Rows
/// that belong to no sequence are left alone.
///
/// - Parameters:
///   - q: [rows, heads · headDimension], as y.
///   - k: [rows, keyValueHeads · headDimension], as v.
///   - sequences: which rows see which; no row twice.
///   - headDimension: 1…256.
///   - logSumExp: [rows, heads], of the scaled scores.
package func sequenceAttentionForward(
    _ q: UnsafePointer<Float>,
    k: UnsafePointer<Float>,
    v: UnsafePointer<Float>,
    sequences: [AttentionSequence],
    heads: Int,
    keyValueHeads: Int,
    headDimension: Int,
    into y: UnsafeMutablePointer<Float>,
    logSumExp: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    let shape = AttentionHeads(
        heads: heads,
        keyValueHeads: keyValueHeads,
        dimension: headDimension
    )
    pool.run(count: sequences.count * keyValueHeads) { task, worker in
        ForwardTask(
            shape: shape,
            sequence: sequences[task / keyValueHeads],
            head: task % keyValueHeads,
            q: q,
            k: k,
            v: v,
            y: y,
            logSumExp: logSumExp,
            scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self),
            scale: 1 / Float(headDimension).squareRoot()
        ).run()
    }
}

/// One sequence and one kv head.
private struct ForwardTask {
    let shape: AttentionHeads
    let sequence: AttentionSequence
    let head: Int
    let q: UnsafePointer<Float>
    let k: UnsafePointer<Float>
    let v: UnsafePointer<Float>
    let y: UnsafeMutablePointer<Float>
    let logSumExp: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutablePointer<Float>
    /// 1 / √d.
    let scale: Float

    func run() {
        let isResident = keysFit
        if isResident {
            sequence.forEachSegment { _, segment in
                for index in 0..<segment.blockCount {
                    let block = segment.block(index)
                    pack(block, into: keyMemory(block, isResident: true))
                }
            }
        }
        sequence.forEachSegment { index, segment in
            segment.forEachQueryBlock(group: shape.group) { queries in
                begin(queries)
                sequence.forEachKeyBlock(of: index, segment, queries: queries.rows) {
                    keys,
                    isDiagonal in
                    let memory = keyMemory(keys, isResident: isResident)
                    if !isResident { pack(keys, into: memory) }
                    attend(queries, to: keys, memory, isDiagonal: isDiagonal)
                }
                finish(queries)
            }
        }
    }

    // MARK: - Queries

    /// Copies the queries side by side and empties the sums.
    private func begin(_ queries: AttentionQueries) {
        for index in 0..<queries.pairs.count {
            let source = shape.rowHead(index, of: queries, head: head)
            shape.copyRow(q + source * shape.dimension, into: query(index))
            maxima[index] = -.infinity
            totals[index] = 0
        }
        sums(0).update(repeating: 0, count: queries.pairs.count * shape.padded)
    }

    /// y = sums / total, logSumExp = maximum + log(total).
    private func finish(_ queries: AttentionQueries) {
        for index in 0..<queries.pairs.count {
            let target = shape.rowHead(index, of: queries, head: head)
            let factor = 1 / totals[index]
            let sums = sums(index)
            let y = y + target * shape.dimension
            forEachLaneGroup(in: 0..<shape.dimension) { column, lanes in
                store8(load8(sums + column) * factor, into: y + column, lanes: lanes)
            }
            logSumExp[target] = maxima[index] + logf(totals[index])
        }
    }

    // MARK: - One block of keys

    /// Each tile goes through all three steps while its scores lie in the first-level cache.
    private func attend(
        _ queries: AttentionQueries,
        to keys: AttentionKeyBlock,
        _ memory: UnsafePointer<Float>,
        isDiagonal: Bool
    ) {
        for tile in 0..<queries.tiles {
            let range = queries.tile(tile)
            let count = queries.visible(range.upperBound - 1, keys, isDiagonal: isDiagonal)
            if count == 0 { continue }
            let panels = (count + 15) / 16
            for panel in 0..<panels {
                multiplyByKeys(
                    height: range.count,
                    query(range.lowerBound),
                    stride: shape.padded,
                    dimension: shape.dimension,
                    panel: memory + panel * 16 * shape.dimension,
                    into: scores + panel * 16
                )
            }
            // Rows side by side in both loops: a row alone would wait for its maximum.
            for index in range {
                let visible =
                    isDiagonal ? queries.visible(index, keys, isDiagonal: true) : count
                raise(index, row(index, of: range), count: visible, width: panels * 16)
            }
            for index in range { weigh(index, row(index, of: range), width: panels * 16) }
            for column in stride(from: 0, to: shape.padded, by: 16) {
                addWeightedKeys(
                    height: range.count,
                    scores,
                    rows: memory + keys.width * shape.dimension + column,
                    count: count,
                    into: sums(range.lowerBound) + column,
                    stride: shape.padded
                )
            }
        }
    }

    @inline(__always)
    private func row(_ index: Int, of tile: Range<Int>) -> UnsafeMutablePointer<Float> {
        scores + (index &- tile.lowerBound) &* AttentionKeyBlock.stride
    }

    /// Hides the keys from `count` on and finds the new maximum of a row, of scaled scores.
    ///
    /// - Parameters:
    ///   - count: keys of the block that the row sees.
    ///   - width: numbers in the row, a multiple of 16.
    @inline(__always)
    private func raise(
        _ index: Int,
        _ row: UnsafeMutablePointer<Float>,
        count: Int,
        width: Int
    ) {
        var hidden = count
        while hidden < width {
            row[hidden] = -.infinity
            hidden &+= 1
        }
        newMaxima[index] = max(maxima[index], maximum(of: row, width: width) * scale)
    }

    /// Turns the scores of one row into weights e^(scaled score - new maximum), 0 for hidden keys, and
    /// scales what the row has summed up under an earlier maximum.
    @inline(__always)
    private func weigh(_ index: Int, _ row: UnsafeMutablePointer<Float>, width: Int) {
        let (previous, highest) = (maxima[index], newMaxima[index])
        var total = SIMD8<Float>.zero
        var column = 0
        while column < width {
            let weights = exponentialOfNonPositive(load8(row + column) * scale - highest)
            store8(weights, into: row + column)
            total += weights
            column &+= 8
        }
        let four = total.lowHalf + total.highHalf
        let two = four.lowHalf + four.highHalf
        let sum = two[0] + two[1]
        if previous == highest || previous == -.infinity {
            totals[index] += sum
        } else {
            let correction = exponentialOfNonPositive(SIMD8(repeating: previous - highest))[0]
            totals[index] = totals[index] * correction + sum
            let sums = sums(index)
            var column = 0
            while column < shape.padded {
                store16(load16(sums + column) * correction, into: sums + column)
                column &+= 16
            }
        }
        maxima[index] = highest
    }

    @inline(__always)
    private func maximum(of row: UnsafePointer<Float>, width: Int) -> Float {
        var lanes = load16(row)
        var column = 16
        while column < width {
            let next = load16(row + column)
            lanes.replace(with: next, where: next .> lanes)
            column &+= 16
        }
        var eight = lanes.lowHalf
        eight.replace(with: lanes.highHalf, where: lanes.highHalf .> eight)
        var four = eight.lowHalf
        four.replace(with: eight.highHalf, where: eight.highHalf .> four)
        return max(max(four[0], four[1]), max(four[2], four[3]))
    }

    // MARK: - Keys and values

    /// Copies keys into panels of 16 keys, values side by side.
    private func pack(_ keys: AttentionKeyBlock, into memory: UnsafeMutablePointer<Float>) {
        let offset = keys.firstRow * shape.keyStride + head * shape.dimension
        for panel in 0..<keys.panelCount {
            transposePanel(
                k + offset + panel * 16 * shape.keyStride,
                rows: min(16, keys.count - panel * 16),
                stride: shape.keyStride,
                steps: shape.dimension,
                into: memory + panel * 16 * shape.dimension
            )
        }
        let values = memory + keys.width * shape.dimension
        for key in 0..<keys.count {
            shape.copyRow(v + offset + key * shape.keyStride, into: values + key * shape.padded)
        }
    }

    // MARK: - Scratch memory: maxima, totals, scores of a tile, sums, queries, keys and values

    private var maxima: UnsafeMutablePointer<Float> { scratch }
    private var totals: UnsafeMutablePointer<Float> { scratch + AttentionQueries.limit }
    private var newMaxima: UnsafeMutablePointer<Float> { scratch + 2 * AttentionQueries.limit }

    /// [6][AttentionKeyBlock.stride].
    private var scores: UnsafeMutablePointer<Float> { scratch + 3 * AttentionQueries.limit }

    /// [padded] for each pair.
    private func sums(_ index: Int) -> UnsafeMutablePointer<Float> {
        scores + 6 * AttentionKeyBlock.stride + index * shape.padded
    }

    /// [padded] for each pair.
    private func query(_ index: Int) -> UnsafeMutablePointer<Float> {
        sums(AttentionQueries.limit + index)
    }

    /// Where a block lies: all blocks side by side, or one at a time when they do not fit.
    private func keyMemory(
        _ keys: AttentionKeyBlock,
        isResident: Bool
    ) -> UnsafeMutablePointer<Float> {
        query(AttentionQueries.limit)
            + (isResident ? keys.firstPanel * 16 * (shape.dimension + shape.padded) : 0)
    }

    private var keysFit: Bool {
        let used = query(AttentionQueries.limit) - scratch
        let room = ComputeThreadPool.scratchByteCount / 4 - used
        return sequence.panelCount * 16 * (shape.dimension + shape.padded) <= room
    }
}
