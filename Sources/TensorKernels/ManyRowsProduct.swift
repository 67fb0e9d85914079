internal import WideKernels

/// The blocked product: one task is a block of rows by a group of panels.
///
/// Inside a task, for each block of k: the rows' numbers are interleaved into scratch memory (at most
/// the size of the second-level cache), then each panel's part meets all tiles of up to 6 rows.
///
/// Sizes were chosen by 50 interleaved samples each on a shared Zen 3 (one thread, bf16, % of the
/// multiply-add peak of the same minutes, x [96…192, 896…4864]). Room for 32 Ki, 64 Ki and 128 Ki
/// numbers of x: 62–67, 67–72 and 71–75 %, because partial sums are read and written less often; with
/// the microkernel unrolled, 64 Ki 74–79 and 128 Ki 77–81 %. Blocks of 8, 16, 24 and 32 tiles: 75–79,
/// 77–80, 75–80 and 75–81 %. What else was tried: copying rows without interleaving them costs a tenth
/// (`Microkernel`); fetching the next panel into the second-level cache while the tiles of the present
/// one run changes nothing beyond the noise, at 6…512 rows, with weights in memory.
///
/// With `KernelSet.wide` two whole panels run at once. One thread of a busy, shared Emerald Rapids, in
/// processor time, medians of 6 interleaved runs of 9 samples, x [512…729, 896…4864]: f32 69–79 GFLOP/s
/// become 125–144 (72–84 % of that peak), bf16 71–80 become 121–127 (71–74 %); 16 rows: f32 54 and 94,
/// bf16 74 and 116. Blocks of 24 and 48 tiles, and room for 32 Ki…128 Ki numbers, are equal within the
/// noise there too.
struct ManyRowsProduct<Lanes: PanelLanes> {
    let x: UnsafePointer<Float>
    let rows: Int
    let targets: ProductTargets

    func run(on pool: ComputeThreadPool) {
        let tiles = (rows + 5) / 6
        // Groups of whole pairs where two panels are multiplied at once.
        let isWide = pool.kernels == .wide
        let unit = isWide ? 2 : 1
        let units = targets.units(of: unit)
        let (rowBlocks, groups) = ManyRowsBlocking.tasks(
            tiles: tiles,
            units: units,
            weightBytes: targets.byteCount,
            threads: pool.threadCount
        )
        pool.run(count: rowBlocks * groups) { task, worker in
            let block = evenRange(task / groups, of: rowBlocks, count: tiles)
            let first = evenRange(block.lowerBound, of: tiles, count: rows).lowerBound
            let end = evenRange(block.upperBound - 1, of: tiles, count: rows).upperBound
            let group = evenRange(task % groups, of: groups, count: units)
            RowBlock<Lanes>(
                x: x,
                targets: targets,
                rows: first..<end,
                tiles: block.count,
                isWide: isWide,
                scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
            ).multiply(group)
            targets.finish(rows: first..<end, group, unit: unit)
        }
    }
}

/// One task's rows, in `tiles` tiles of at most 6 whose heights differ by at most one.
private struct RowBlock<Lanes: PanelLanes> {
    let x: UnsafePointer<Float>
    let targets: ProductTargets
    let rows: Range<Int>
    let tiles: Int
    let isWide: Bool
    let scratch: UnsafeMutablePointer<Float>

    /// The pieces `group` of the targets.
    func multiply(_ group: Range<Int>) {
        let inputs = targets.inputs
        let depthBlocks = (inputs + depthLimit - 1) / depthLimit
        for part in 0..<depthBlocks {
            let depth = evenRange(part, of: depthBlocks, count: inputs)
            interleave(depth)
            let place = DepthPart(
                steps: depth,
                isFirst: part == 0,
                isLast: part + 1 == depthBlocks
            )
            targets.forEach(group, unit: isWide ? 2 : 1) { target, panels in
                multiply(target, panels, place)
            }
        }
    }

    private func interleave(_ depth: Range<Int>) {
        let inputs = targets.inputs
        for tile in 0..<tiles {
            let range = evenRange(tile, of: tiles, count: rows.count)
            interleaveRows(
                x + (rows.lowerBound + range.lowerBound) * inputs + depth.lowerBound,
                rows: range.count,
                stride: inputs,
                steps: depth.count,
                into: scratch + range.lowerBound * depth.count
            )
        }
    }

    private func multiply(_ target: ProductTarget, _ panels: Range<Int>, _ part: DepthPart) {
        let wholePanels = target.weight.outputs / PackedMatrix.panelWidth
        let pairEnd = isWide ? min(panels.upperBound, wholePanels) : panels.lowerBound
        var panel = panels.lowerBound
        while panel + 2 <= pairEnd {
            let next = panel + 4 <= pairEnd ? panel + 2 : nil
            multiply(target, pair: panel, next: next, part)
            panel += 2
        }
        for panel in panel..<panels.upperBound { multiply(target, panel: panel, part) }
    }

    /// The panels `pair` and `pair` + 1, both of full width, while `next` is fetched.
    private func multiply(_ target: ProductTarget, pair: Int, next: Int?, _ part: DepthPart) {
        let weight = target.weight
        let column = pair * PackedMatrix.panelWidth
        let steps = part.steps.count
        var storage = Lanes.pairStorage
        var panels = weight.step(panel: pair, input: part.steps.lowerBound)
        let stride = weight.inputs * Lanes.stepByteCount
        var panelStride = stride
        if storage != float32Panels, rows.count >= ManyRowsBlocking.widenedRows {
            let numbers = scratch + ManyRowsBlocking.widenedPlace
            widenPanelPair(storage, panels, panelStride: stride, steps: steps, into: numbers)
            storage = float32Panels
            panels = UnsafeRawPointer(numbers)
            panelStride = steps * Float32Lanes.stepByteCount
        }
        multiplyPanelPair(
            storage,
            panels,
            panelStride: panelStride,
            steps: steps,
            scratch,
            rowCount: rows.count,
            tiles: tiles,
            bias: part.isLast ? target.bias.map { $0 + column } : nil,
            isFirst: part.isFirst,
            next: next.map { weight.step(panel: $0, input: part.steps.lowerBound) },
            nextStride: stride,
            nextByteCount: steps * Lanes.stepByteCount,
            into: target.y + rows.lowerBound * weight.outputs + column,
            stride: weight.outputs
        )
    }

    /// Steps whose interleaved rows fit the space for them.
    private var depthLimit: Int { ManyRowsBlocking.rowNumbers / rows.count }

    private func multiply(_ target: ProductTarget, panel: Int, _ part: DepthPart) {
        let outputs = target.weight.outputs
        let column = panel * PackedMatrix.panelWidth
        let columns = min(PackedMatrix.panelWidth, outputs - column)
        let steps = target.weight.step(panel: panel, input: part.steps.lowerBound)
        let height = rows.count / tiles
        let tallerTiles = rows.count % tiles
        let bias = part.isLast ? target.bias.map { $0 + column } : nil
        var interleaved = UnsafePointer(scratch)
        var y = target.y + rows.lowerBound * outputs + column
        for tile in 0..<tiles {
            let height = tile < tallerTiles ? height + 1 : height
            if columns == PackedMatrix.panelWidth {
                multiplyTile(
                    Lanes.self,
                    height: height,
                    interleaved,
                    panel: steps,
                    steps: part.steps.count,
                    bias: bias,
                    isFirst: part.isFirst,
                    into: y,
                    stride: outputs
                )
            } else {
                multiplyNarrowTile(
                    height: height,
                    interleaved,
                    panel: steps,
                    bias: bias,
                    part,
                    into: y,
                    columns: columns,
                    stride: outputs
                )
            }
            interleaved += height * part.steps.count
            y += height * outputs
        }
    }

    /// The last panel when outputs is no multiple of 16: the same tile, on a copy of full width.
    private func multiplyNarrowTile(
        height: Int,
        _ interleaved: UnsafePointer<Float>,
        panel: UnsafeRawPointer,
        bias: UnsafePointer<Float>?,
        _ part: DepthPart,
        into y: UnsafeMutablePointer<Float>,
        columns: Int,
        stride outputs: Int
    ) {
        let width = PackedMatrix.panelWidth
        let copy = scratch + ManyRowsBlocking.rowNumbers + 16
        let wideBias = copy + 6 * width
        copy.update(repeating: 0, count: 7 * width)
        if let bias { wideBias.update(from: bias, count: columns) }
        if !part.isFirst {
            for row in 0..<height {
                (copy + row * width).update(from: y + row * outputs, count: columns)
            }
        }
        multiplyTile(
            Lanes.self,
            height: height,
            interleaved,
            panel: panel,
            steps: part.steps.count,
            bias: bias == nil ? nil : UnsafePointer(wideBias),
            isFirst: part.isFirst,
            into: copy,
            stride: width
        )
        for row in 0..<height {
            (y + row * outputs).update(from: copy + row * width, count: columns)
        }
    }
}

/// Inputs that are gone through at a time.
private struct DepthPart {
    let steps: Range<Int>
    /// Start from 0, or continue from the sums in y.
    let isFirst: Bool
    /// Add the bias.
    let isLast: Bool
}

/// Sizes of the blocks of `ManyRowsProduct`.
private enum ManyRowsBlocking {
    /// Tiles of 6 rows in one task.
    static let tilesPerBlock = 24
    /// Numbers of x interleaved at a time.
    static let rowNumbers = 128 << 10
    /// Rows from which on a pair of panels is widened to f32 once for all tiles, instead of by each: bf16, one
    /// thread, x [512, 896] to 4864 columns, 134–139 GFLOP/s become 142–148 (in turns, best of 5 samples).
    static let widenedRows = 96
    /// Where the widened pair lies in the scratch memory: behind the rows and the copy of a narrow tile.
    static let widenedPlace = rowNumbers + 256
    /// Tasks per thread wanted: more share the work better at the end, fewer interleave x less often.
    static let tasksPerThread = 4
    /// Weights of so many bytes stay in the second-level cache, so that more blocks of rows cost nothing: then
    /// each row is interleaved once.
    static let smallWeightBytes = 512 << 10

    /// Blocks of rows, and groups of panels for each of them.
    static func tasks(
        tiles: Int,
        units: Int,
        weightBytes: Int,
        threads: Int
    ) -> (rowBlocks: Int, groups: Int) {
        var rowBlocks = (tiles + tilesPerBlock - 1) / tilesPerBlock
        guard threads > 1 else { return (rowBlocks, 1) }
        let wanted = tasksPerThread * threads
        if weightBytes <= smallWeightBytes {
            // Two tiles of 6 rows may share a step of weights.
            rowBlocks = max(rowBlocks, min(tiles / 2, wanted))
        }
        // Enough tasks that the last ones end together, few enough that interleaving stays cheap.
        return (rowBlocks, max(1, min(units, (wanted + rowBlocks - 1) / rowBlocks)))
    }
}
