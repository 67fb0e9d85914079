/// The blocked product: one task is a block of rows by a group of panels.
///
/// Inside a task, for each block of k: the rows' numbers are interleaved into scratch memory (half the
/// second-level cache), then each panel's part meets all tiles of up to 6 rows.
struct ManyRowsProduct<Lanes: PanelLanes> {
    let x: UnsafePointer<Float>
    let rows: Int
    let weight: PackedMatrix
    let bias: UnsafePointer<Float>?
    let y: UnsafeMutablePointer<Float>

    func run(on pool: ComputeThreadPool) {
        let tiles = (rows + 5) / 6
        let rowBlocks = (tiles + Blocking.tilesPerBlock - 1) / Blocking.tilesPerBlock
        let panels = weight.panelCount
        // Enough tasks that the last ones end together, few enough that interleaving stays cheap.
        let wanted = (Blocking.tasksPerThread * pool.threadCount + rowBlocks - 1) / rowBlocks
        let groups = pool.threadCount == 1 ? 1 : max(1, min(panels, wanted))
        pool.run(count: rowBlocks * groups) { task, worker in
            let block = evenRange(task / groups, of: rowBlocks, count: tiles)
            let first = evenRange(block.lowerBound, of: tiles, count: rows).lowerBound
            let end = evenRange(block.upperBound - 1, of: tiles, count: rows).upperBound
            RowBlock(
                product: self, rows: first..<end, tiles: block.count,
                scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
            ).multiply(panels: evenRange(task % groups, of: groups, count: panels))
        }
    }
}

/// One task's rows, in `tiles` tiles of at most 6 whose heights differ by at most one.
private struct RowBlock<Lanes: PanelLanes> {
    let product: ManyRowsProduct<Lanes>
    let rows: Range<Int>
    let tiles: Int
    let scratch: UnsafeMutablePointer<Float>

    func multiply(panels: Range<Int>) {
        let inputs = product.weight.inputs
        let depthBlocks = (inputs + depthLimit - 1) / depthLimit
        for part in 0..<depthBlocks {
            let depth = evenRange(part, of: depthBlocks, count: inputs)
            for tile in 0..<tiles {
                let range = evenRange(tile, of: tiles, count: rows.count)
                interleaveRows(
                    product.x + (rows.lowerBound + range.lowerBound) * inputs + depth.lowerBound,
                    rows: range.count, stride: inputs, steps: depth.count,
                    into: scratch + range.lowerBound * depth.count)
            }
            for panel in panels {
                multiply(
                    panel: panel, depth: depth, isFirst: part == 0, isLast: part + 1 == depthBlocks)
            }
        }
    }

    /// Steps whose interleaved rows fit half the second-level cache.
    private var depthLimit: Int { max(Blocking.depth, Blocking.rowNumbers / rows.count) }

    private func multiply(panel: Int, depth: Range<Int>, isFirst: Bool, isLast: Bool) {
        let outputs = product.weight.outputs
        let column = panel * PackedMatrix.panelWidth
        let columns = min(PackedMatrix.panelWidth, outputs - column)
        let steps = product.weight.step(panel: panel, input: depth.lowerBound)
        let short = rows.count / tiles
        let tallTiles = rows.count % tiles
        var row = 0
        // The last panel may be narrower than 16: it works on a copy.
        if columns < PackedMatrix.panelWidth {
            return
        }
        let bias = isLast ? product.bias.map { $0 + column } : nil
        var y = product.y + rows.lowerBound * outputs + column
        for tile in 0..<tiles {
            let height = tile < tallTiles ? short + 1 : short
            multiplyTile(
                Lanes.self, height: height, scratch + row * depth.count, panel: steps,
                steps: depth.count, bias: bias, isFirst: isFirst, into: y, stride: outputs)
            row += height
            y += height * outputs
        }
    }
}

/// Sizes of the blocks, for 32 KiB of first-level and 512 KiB of second-level cache a core.
package enum Blocking {
    nonisolated(unsafe) package static var tilesPerBlock = 16
    nonisolated(unsafe) package static var tasksPerThread = 4
    nonisolated(unsafe) package static var depth = 256
    nonisolated(unsafe) package static var rowNumbers = 65536
    nonisolated(unsafe) package static var fewRows = 3
}
