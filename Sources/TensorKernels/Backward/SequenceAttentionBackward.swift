/// The gradient of `sequenceAttentionForward`.
///
/// With P the weights, made again from the scores and logSumExp, and D = Σ dy · y per row and head:
/// dv = Pᵀ·dy, dS = P ∘ (dy·Vᵀ - D) / √d, dq = dS·K, dk = dSᵀ·q (Dao et al. 2022, appendix B.4).
/// One task is a sequence and a kv head; dk and dv are summed over its rows ascending, prefix first and
/// then branch by branch. Rows that belong to no sequence are left alone.
///
/// - Parameters:
///   - q: [rows, heads · headDimension], as y, dy and dq.
///   - k: [rows, keyValueHeads · headDimension], as v, dk and dv.
///   - y: as the forward kernel left it, like logSumExp [rows, heads].
///   - dq: overwritten, like dk and dv; none may overlap another operand.
package func sequenceAttentionBackward(
    _ q: UnsafePointer<Float>,
    k: UnsafePointer<Float>,
    v: UnsafePointer<Float>,
    y: UnsafePointer<Float>,
    dy: UnsafePointer<Float>,
    logSumExp: UnsafePointer<Float>,
    sequences: [AttentionSequence],
    heads: Int,
    keyValueHeads: Int,
    headDimension: Int,
    into dq: UnsafeMutablePointer<Float>,
    dk: UnsafeMutablePointer<Float>,
    dv: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    let shape = AttentionHeads(
        heads: heads,
        keyValueHeads: keyValueHeads,
        dimension: headDimension
    )
    pool.run(count: sequences.count * keyValueHeads) { task, worker in
        BackwardTask(
            shape: shape,
            sequence: sequences[task / keyValueHeads],
            head: task % keyValueHeads,
            q: q,
            k: k,
            v: v,
            y: y,
            dy: dy,
            logSumExp: logSumExp,
            dq: dq,
            dk: dk,
            dv: dv,
            scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
        ).run()
    }
}

/// One sequence and one kv head.
private struct BackwardTask {
    let shape: AttentionHeads
    let sequence: AttentionSequence
    let head: Int
    let q: UnsafePointer<Float>
    let k: UnsafePointer<Float>
    let v: UnsafePointer<Float>
    let y: UnsafePointer<Float>
    let dy: UnsafePointer<Float>
    let logSumExp: UnsafePointer<Float>
    let dq: UnsafeMutablePointer<Float>
    let dk: UnsafeMutablePointer<Float>
    let dv: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutablePointer<Float>

    func run() {
        let isResident = keysFit
        sequence.forEachSegment { _, segment in
            for row in segment.rows {
                let offset = row * shape.keyStride + head * shape.dimension
                (dk + offset).update(repeating: 0, count: shape.dimension)
                (dv + offset).update(repeating: 0, count: shape.dimension)
            }
            guard isResident else { return }
            for index in 0..<segment.blockCount {
                let block = segment.block(index)
                pack(block, into: keyMemory(block, isResident: true))
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
                    addQueryGradients(queries, keys, memory, isDiagonal: isDiagonal)
                    addKeyGradients(queries, keys, isDiagonal: isDiagonal)
                }
                finish(queries)
            }
        }
    }

    // MARK: - Queries

    /// Copies q and dy of the pairs side by side, computes D, and empties the sums.
    private func begin(_ queries: AttentionQueries) {
        let dimension = shape.dimension
        for index in 0..<queries.pairs.count {
            let source = shape.rowHead(index, of: queries, head: head)
            let (dy, y) = (dy + source * dimension, y + source * dimension)
            shape.copyRow(q + source * dimension, into: query(index))
            shape.copyRow(dy, into: gradient(index))
            deltas[index] = laneGroupSum(count: dimension) {
                load8(dy + $0, lanes: $1) * load8(y + $0, lanes: $1)
            }
            offsets[index] = logSumExp[source]
        }
        sums(0).update(repeating: 0, count: queries.pairs.count * shape.padded)
    }

    private func finish(_ queries: AttentionQueries) {
        for index in 0..<queries.pairs.count {
            let target = shape.rowHead(index, of: queries, head: head)
            let dq = dq + target * shape.dimension
            let sums = sums(index)
            forEachLaneGroup(in: 0..<shape.dimension) { column, lanes in
                store8(load8(sums + column), into: dq + column, lanes: lanes)
            }
        }
    }

    // MARK: - One block of keys

    /// P and dS of the block, and dq += dS·K. Each tile goes through all steps while its rows lie in the
    /// first-level cache.
    private func addQueryGradients(
        _ queries: AttentionQueries,
        _ keys: AttentionKeyBlock,
        _ memory: UnsafePointer<Float>,
        isDiagonal: Bool
    ) {
        let valuePanels = memory + keys.width * shape.dimension
        let keyRows = valuePanels + keys.width * shape.dimension
        for tile in 0..<queries.tiles {
            let range = queries.tile(tile)
            let first = range.lowerBound
            let count = queries.visible(range.upperBound - 1, keys, isDiagonal: isDiagonal)
            if count == 0 { continue }
            let panels = (count + 15) / 16
            for panel in 0..<panels {
                let offset = panel * 16 * shape.dimension
                multiply(range, query(first), memory + offset, into: weights(first) + panel * 16)
                multiply(
                    range,
                    gradient(first),
                    valuePanels + offset,
                    into: changes(first) + panel * 16
                )
            }
            for index in range {
                weigh(
                    index,
                    count: isDiagonal
                        ? queries.visible(index, keys, isDiagonal: true) : count,
                    width: panels * 16
                )
            }
            for column in stride(from: 0, to: shape.padded, by: 16) {
                addWeightedKeys(
                    height: range.count,
                    changes(first),
                    rows: keyRows + column,
                    count: count,
                    into: sums(first) + column,
                    stride: shape.padded
                )
            }
        }
    }

    @inline(__always)
    private func multiply(
        _ tile: Range<Int>,
        _ rows: UnsafePointer<Float>,
        _ panel: UnsafePointer<Float>,
        into y: UnsafeMutablePointer<Float>
    ) {
        multiplyByKeys(
            height: tile.count,
            rows,
            stride: shape.padded,
            dimension: shape.dimension,
            panel: panel,
            into: y
        )
    }

    /// One row: scores become weights and products with dy become dS; keys that it does not see get 0,
    /// up to a panel beyond `width`, because a tile of keys may reach so far.
    @inline(__always)
    private func weigh(_ index: Int, count: Int, width: Int) {
        let weights = weights(index)
        let changes = changes(index)
        var hidden = count
        while hidden < width {
            weights[hidden] = -.infinity
            hidden &+= 1
        }
        let scale = 1 / Float(shape.dimension).squareRoot()
        let (offset, delta) = (offsets[index], deltas[index])
        var column = 0
        while column < width {
            let p = exponentialOfNonPositive(load8(weights + column) * scale - offset)
            store8(p, into: weights + column)
            store8((load8(changes + column) - delta) * (p * scale), into: changes + column)
            column &+= 8
        }
        store16(.zero, into: weights + width)
        store16(.zero, into: changes + width)
    }

    /// dv += Pᵀ·dy and dk += dSᵀ·q, in place.
    private func addKeyGradients(
        _ queries: AttentionQueries,
        _ keys: AttentionKeyBlock,
        isDiagonal: Bool
    ) {
        let tiles = (keys.count + 5) / 6
        for tile in 0..<tiles {
            let range = evenRange(tile, of: tiles, count: keys.count)
            let first = queries.firstSeeing(range.lowerBound, of: keys, isDiagonal: isDiagonal)
            let count = queries.pairs.count - first
            if count <= 0 { break }
            let offset =
                (keys.firstRow + range.lowerBound) * shape.keyStride + head * shape.dimension
            for column in stride(from: 0, to: shape.padded, by: 16) {
                addWeightedRows(
                    height: range.count,
                    weights(first) + range.lowerBound,
                    rows: gradient(first) + column,
                    rowStride: shape.padded,
                    count: count,
                    into: dv + offset + column,
                    stride: shape.keyStride,
                    columns: min(16, shape.dimension - column)
                )
                addWeightedRows(
                    height: range.count,
                    changes(first) + range.lowerBound,
                    rows: query(first) + column,
                    rowStride: shape.padded,
                    count: count,
                    into: dk + offset + column,
                    stride: shape.keyStride,
                    columns: min(16, shape.dimension - column)
                )
            }
        }
    }

    // MARK: - Keys and values

    /// Copies a block: panels of 16 keys, panels of 16 values, then keys side by side.
    private func pack(_ keys: AttentionKeyBlock, into memory: UnsafeMutablePointer<Float>) {
        let offset = keys.firstRow * shape.keyStride + head * shape.dimension
        let valuePanels = memory + keys.width * shape.dimension
        let keyRows = valuePanels + keys.width * shape.dimension
        for key in 0..<keys.count {
            shape.copyRow(k + offset + key * shape.keyStride, into: keyRows + key * shape.padded)
        }
        for panel in 0..<keys.panelCount {
            let rows = min(16, keys.count - panel * 16)
            transposePanel(
                keyRows + panel * 16 * shape.padded,
                rows: rows,
                stride: shape.padded,
                steps: shape.dimension,
                into: memory + panel * 16 * shape.dimension
            )
            transposePanel(
                v + offset + panel * 16 * shape.keyStride,
                rows: rows,
                stride: shape.keyStride,
                steps: shape.dimension,
                into: valuePanels + panel * 16 * shape.dimension
            )
        }
    }

    // MARK: - Scratch memory

    private var deltas: UnsafeMutablePointer<Float> { scratch }
    private var offsets: UnsafeMutablePointer<Float> { scratch + AttentionQueries.limit }

    /// Scores, then weights: [AttentionKeyBlock.stride] for each pair.
    private func weights(_ index: Int) -> UnsafeMutablePointer<Float> {
        scratch + 2 * AttentionQueries.limit + index * AttentionKeyBlock.stride
    }

    /// dy·Vᵀ, then dS, in the same layout.
    private func changes(_ index: Int) -> UnsafeMutablePointer<Float> {
        weights(AttentionQueries.limit + index)
    }

    /// dq: [padded] for each pair.
    private func sums(_ index: Int) -> UnsafeMutablePointer<Float> {
        changes(AttentionQueries.limit) + index * shape.padded
    }

    /// q: [padded] for each pair.
    private func query(_ index: Int) -> UnsafeMutablePointer<Float> {
        sums(AttentionQueries.limit + index)
    }

    /// dy: [padded] for each pair.
    private func gradient(_ index: Int) -> UnsafeMutablePointer<Float> {
        query(AttentionQueries.limit + index)
    }

    /// What one key takes: itself twice, its value once.
    private var keyNumbers: Int { 2 * shape.dimension + shape.padded }

    /// Where a block lies: all blocks side by side, or one at a time when they do not fit.
    private func keyMemory(
        _ keys: AttentionKeyBlock,
        isResident: Bool
    ) -> UnsafeMutablePointer<Float> {
        gradient(AttentionQueries.limit)
            + (isResident ? keys.firstPanel * 16 * keyNumbers : 0)
    }

    private var keysFit: Bool {
        let used = gradient(AttentionQueries.limit) - scratch
        let room = ComputeThreadPool.scratchByteCount / 4 - used
        return sequence.panelCount * 16 * keyNumbers <= room
    }
}
