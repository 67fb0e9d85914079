internal import WideKernels

/// How an operand of `generalProduct` lies in memory.
package enum OperandLayout: Sendable {
    /// Row after row, as it is written in the product.
    case rowMajor
    /// Stored with its two dimensions exchanged.
    case transposed
}

/// c [m, n] = a [m, k] · b [k, n], or c += a · b; the product of forward passes (y = x·Wᵀ) and of both
/// gradients (dx = dy·W, dW += dyᵀ·x).
///
/// Every element is one chain of fused multiply-adds over k ascending, started from 0 or from c. Blocks
/// and threads change only which chains run side by side, so they never change a bit of the result. A
/// partial sum kept in c between two blocks of k is an f32 like the register it came from.
///
/// - Parameters:
///   - a: [m, k], or [k, m] when transposed; must not overlap c.
///   - b: [k, n], or [n, k] when transposed; must not overlap c.
///   - accumulate: start from c instead of 0.
///   - workspace: keeps b in panels of 16 columns for the length of the call.
package func generalProduct(
    _ a: UnsafePointer<Float>,
    _ aLayout: OperandLayout,
    _ b: UnsafePointer<Float>,
    _ bLayout: OperandLayout,
    m: Int,
    n: Int,
    k: Int,
    accumulate: Bool,
    into c: UnsafeMutablePointer<Float>,
    workspace: ProductWorkspace,
    pool: ComputeThreadPool
) {
    guard m > 0, n > 0 else { return }
    guard k > 0 else {
        if !accumulate { c.update(repeating: 0, count: m * n) }
        return
    }
    let panels = (n + 15) / 16
    let packed = workspace.reserve(panels * 16 * k)
    packPanels(b, bLayout, columns: n, steps: k, into: packed, pool: pool)
    GeneralProduct(
        a: a,
        layout: aLayout,
        panels: packed,
        m: m,
        n: n,
        k: k,
        accumulate: accumulate,
        c: c
    ).run(on: pool)
}

/// A product whose right operand lies in panels [⌈n/16⌉][k][16].
///
/// One task is a block of rows by all panels, or by a group of panels when there are few rows. For each
/// block of k it interleaves its rows into scratch memory, then each panel's part meets all tiles of up
/// to 6 rows while it lies in the first-level cache.
///
/// Measured on one thread of a shared Zen 3, in processor time, as a share of the multiply-add peak of the
/// same seconds: 70–86 % with m = 4000 or 9000 and n, k = 160…512; 60–72 % for gradients of weights
/// (m, n = 160…512, k = 4000 or 9000), where copying both operands takes a fifth of the time. Blocks of
/// 192, 256, 320, 384 and 512 steps are equal within the noise.
///
/// With `KernelSet.wide` two whole panels run at once. One thread of a busy, shared Emerald Rapids, in
/// processor time, medians of 6 interleaved runs of 9 samples: m = 4000 or 9000 and n, k = 160…512, 70–83
/// GFLOP/s become 111–143 (63–82 % of that peak); gradients of weights, 59–69 become 92–122 (53–70 %).
private struct GeneralProduct {
    /// Tiles of 6 rows in one task.
    static let tileLimit = 16
    /// Fewer tiles than this do not pay for reading the panels.
    static let tileMinimum = 4
    /// Steps of k at a time: a panel's part then takes 16 KiB, the rows of a task 96 KiB.
    static let depthLimit = 256

    let a: UnsafePointer<Float>
    let layout: OperandLayout
    let panels: UnsafePointer<Float>
    let m: Int
    let n: Int
    let k: Int
    let accumulate: Bool
    let c: UnsafeMutablePointer<Float>

    func run(on pool: ComputeThreadPool) {
        let tiles = (m + 5) / 6
        let wanted = pool.threadCount == 1 ? 1 : 4 * pool.threadCount
        let blocks = max(
            (tiles + Self.tileLimit - 1) / Self.tileLimit,
            min(wanted, tiles / Self.tileMinimum),
            1
        )
        let panelCount = (n + 15) / 16
        // Groups of whole pairs where two panels are multiplied at once.
        let isWide = pool.kernels == .wide
        let unit = isWide ? 2 : 1
        let units = (panelCount + unit - 1) / unit
        let groups = blocks * 2 > wanted ? 1 : min(units, (wanted + blocks - 1) / blocks)
        pool.run(count: blocks * groups) { task, worker in
            let block = evenRange(task / groups, of: blocks, count: tiles)
            let first = evenRange(block.lowerBound, of: tiles, count: m).lowerBound
            let end = evenRange(block.upperBound - 1, of: tiles, count: m).upperBound
            let group = evenRange(task % groups, of: groups, count: units)
            let scratch = pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
            multiply(
                rows: first..<end,
                tiles: block.count,
                panels: (group.lowerBound * unit)..<min(group.upperBound * unit, panelCount),
                isWide: isWide,
                scratch: scratch
            )
        }
    }

    private func multiply(
        rows: Range<Int>,
        tiles: Int,
        panels: Range<Int>,
        isWide: Bool,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let pairEnd = isWide ? min(panels.upperBound, n / 16) : panels.lowerBound
        let depthBlocks = (k + Self.depthLimit - 1) / Self.depthLimit
        for part in 0..<depthBlocks {
            let depth = evenRange(part, of: depthBlocks, count: k)
            interleave(rows: rows, tiles: tiles, depth: depth, into: scratch)
            let isFirst = part == 0 && !accumulate
            var panel = panels.lowerBound
            while panel + 2 <= pairEnd {
                multiplyPanelPair(
                    float32Panels,
                    panelStep(panel, depth.lowerBound),
                    panelStride: k * 16 * MemoryLayout<Float>.size,
                    steps: depth.count,
                    scratch,
                    rowCount: rows.count,
                    tiles: tiles,
                    bias: nil,
                    isFirst: isFirst,
                    next: nil,
                    nextStride: 0,
                    nextByteCount: 0,
                    into: c + rows.lowerBound * n + panel * 16,
                    stride: n
                )
                panel += 2
            }
            for panel in panel..<panels.upperBound {
                multiply(
                    rows: rows,
                    tiles: tiles,
                    panel: panel,
                    depth: depth,
                    isFirst: isFirst,
                    scratch: scratch
                )
            }
        }
    }

    private func panelStep(_ panel: Int, _ step: Int) -> UnsafePointer<Float> {
        panels + (panel * k + step) * 16
    }

    /// Each tile becomes [steps][rows of the tile], at row · steps of the scratch memory.
    private func interleave(
        rows: Range<Int>,
        tiles: Int,
        depth: Range<Int>,
        into scratch: UnsafeMutablePointer<Float>
    ) {
        switch layout {
        case .rowMajor:
            for tile in 0..<tiles {
                let range = evenRange(tile, of: tiles, count: rows.count)
                interleaveRows(
                    a + (rows.lowerBound + range.lowerBound) * k + depth.lowerBound,
                    rows: range.count,
                    stride: k,
                    steps: depth.count,
                    into: scratch + range.lowerBound * depth.count
                )
            }
        case .transposed:
            interleaveColumns(
                a + depth.lowerBound * m + rows.lowerBound,
                rows: rows.count,
                tiles: tiles,
                stride: m,
                steps: depth.count,
                into: scratch
            )
        }
    }

    private func multiply(
        rows: Range<Int>,
        tiles: Int,
        panel: Int,
        depth: Range<Int>,
        isFirst: Bool,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let columns = min(16, n - panel * 16)
        let steps = panelStep(panel, depth.lowerBound)
        let height = rows.count / tiles
        let tallerTiles = rows.count % tiles
        var interleaved = UnsafePointer(scratch)
        var c = c + rows.lowerBound * n + panel * 16
        // Behind the rows, of which interleaving writes up to 7 numbers too many.
        let copy = scratch + Self.tileLimit * 6 * Self.depthLimit + 16
        for tile in 0..<tiles {
            let height = tile < tallerTiles ? height + 1 : height
            let isWide = columns == 16
            if !isWide, !isFirst {
                copyRows(c, stride: n, into: copy, stride: 16, rows: height, columns: columns)
            }
            multiplyTile(
                Float32Lanes.self,
                height: height,
                interleaved,
                panel: steps,
                steps: depth.count,
                bias: nil,
                isFirst: isFirst,
                into: isWide ? c : copy,
                stride: isWide ? n : 16
            )
            if !isWide {
                copyRows(copy, stride: 16, into: c, stride: n, rows: height, columns: columns)
            }
            interleaved += height * depth.count
            c += height * n
        }
    }
}

private func copyRows(
    _ x: UnsafePointer<Float>,
    stride: Int,
    into y: UnsafeMutablePointer<Float>,
    stride yStride: Int,
    rows: Int,
    columns: Int
) {
    for row in 0..<rows { (y + row * yStride).update(from: x + row * stride, count: columns) }
}
