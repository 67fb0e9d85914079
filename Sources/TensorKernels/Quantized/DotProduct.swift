internal import DotKernels

/// The product by quantised weights: x is quantised once, by row and block of inputs, then one task is a block
/// of rows by a group of panels.
///
/// An element depends on its row and its output alone (`PanelDot`), so rows, threads and chunks change no bit.
struct DotProduct {
    let x: UnsafePointer<Float>
    let rows: Int
    let targets: ProductTargets

    func run(on pool: ComputeThreadPool) {
        let layout: QuantizedRows.Layout =
            pool.dotKernels == .avx2 && targets.type == .int8 ? .splitWords : .bytes
        let quantized = QuantizedRows(
            rows: rows,
            inputs: targets.inputs,
            layout: layout,
            type: targets.type,
            memory: pool.sharedScratch(
                byteCount: QuantizedRows.byteCount(
                    rows: rows,
                    inputs: targets.inputs,
                    layout: layout
                )
            )
        )
        quantize(quantized, pool)
        let isWide = pool.dotKernels == .vnni
        let unit = isWide ? 2 : 1
        let units = targets.units(of: unit)
        let tiles = quantized.tiles
        let rowBlocks = (tiles + Blocking.tilesPerBlock - 1) / Blocking.tilesPerBlock
        let wanted =
            rowBlocks == 1
            // Memory is read once: chunks of at least 64 KiB.
            ? min(max(targets.byteCount >> 16, 1), 16 * pool.threadCount)
            : pool.threadCount == 1
                ? 1 : (Blocking.tasksPerThread * pool.threadCount + rowBlocks - 1) / rowBlocks
        let groups = max(1, min(units, wanted))
        pool.run(count: rowBlocks * groups) { task, worker in
            let block = evenRange(task / groups, of: rowBlocks, count: tiles)
            let first = evenRange(block.lowerBound, of: tiles, count: rows).lowerBound
            let end = evenRange(block.upperBound - 1, of: tiles, count: rows).upperBound
            let group = evenRange(task % groups, of: groups, count: units)
            targets.forEach(group, unit: unit) { target, panels in
                DotTask(
                    target: target,
                    x: quantized,
                    kernels: pool.dotKernels,
                    rows: first..<end,
                    tiles: block.count,
                    scratch: pool.scratch(worker: worker).assumingMemoryBound(to: Float.self)
                ).multiply(panels: panels)
            }
            targets.finish(rows: first..<end, group, unit: unit)
        }
    }

    /// Few numbers are quantised at once: handing them out would take longer.
    private func quantize(_ quantized: QuantizedRows, _ pool: ComputeThreadPool) {
        if rows * targets.inputs <= 16 << 10 {
            for tile in 0..<quantized.tiles { quantized.quantize(x, tile: tile) }
        } else {
            pool.run(count: quantized.tiles) { tile, _ in quantized.quantize(x, tile: tile) }
        }
    }
}

/// One task: its rows, in whole tiles, by some panels.
private struct DotTask {
    let target: ProductTarget
    let x: QuantizedRows
    let kernels: DotKernelSet
    let rows: Range<Int>
    let tiles: Int
    let scratch: UnsafeMutablePointer<Float>

    func multiply(panels: Range<Int>) {
        let blocks = x.blocks
        // One tile reads each number once: nothing is gained by stopping midway.
        let parts = tiles == 1 ? 1 : (blocks + Blocking.depthBlocks - 1) / Blocking.depthBlocks
        for part in 0..<parts {
            let depth = evenRange(part, of: parts, count: blocks)
            let isLast = part + 1 == parts
            var panel = panels.lowerBound
            while panel < panels.upperBound {
                let width = kernels == .vnni ? min(2, panels.upperBound - panel) : 1
                // A pair is fetched while the one before it runs.
                let next = panel + 4 <= panels.upperBound && tiles > 1 ? panel + 2 : nil
                multiply(panel: panel, width: width, next: next, depth: depth, isLast: isLast)
                panel += width
            }
        }
    }

    /// `width` panels of 16 outputs; where they are fewer than the kernel takes, or not all of them exist, on
    /// a copy of full width.
    private func multiply(
        panel: Int,
        width: Int,
        next: Int?,
        depth: Range<Int>,
        isLast: Bool
    ) {
        let outputs = target.weight.outputs
        let column = panel * PackedMatrix.panelWidth
        let fullWidth = (kernels == .vnni ? 2 : 1) * PackedMatrix.panelWidth
        let columns = min(width * PackedMatrix.panelWidth, outputs - column)
        let bias = isLast ? target.bias.map { $0 + column } : nil
        let y = target.y + rows.lowerBound * outputs + column
        if columns == fullWidth {
            multiply(panel, width, next, depth, bias: bias, into: y, stride: outputs)
            return
        }
        let copy = scratch + fullWidth
        scratch.update(repeating: 0, count: fullWidth)
        if let bias { scratch.update(from: bias, count: columns) }
        if depth.lowerBound > 0 {
            for row in 0..<rows.count {
                (copy + row * fullWidth).update(from: y + row * outputs, count: columns)
            }
        }
        multiply(
            panel,
            width,
            nil,
            depth,
            bias: bias == nil ? nil : UnsafePointer(scratch),
            into: copy,
            stride: fullWidth
        )
        for row in 0..<rows.count {
            (y + row * outputs).update(from: copy + row * fullWidth, count: columns)
        }
    }

    private func multiply(
        _ panel: Int,
        _ width: Int,
        _ next: Int?,
        _ depth: Range<Int>,
        bias: UnsafePointer<Float>?,
        into y: UnsafeMutablePointer<Float>,
        stride: Int
    ) {
        let weight = target.weight
        let panels = UnsafeRawPointer(weight.block(depth.lowerBound, panel: panel))
        let scales = UnsafeRawPointer(weight.scales(depth.lowerBound, panel: panel))
        guard kernels == .vnni else {
            PanelDot(
                type: weight.type,
                kernels: kernels,
                panel: panels,
                scales: scales,
                blocks: depth.count,
                bias: bias,
                isFirst: depth.lowerBound == 0,
                stride: stride
            ).run(x, rows: rows, tiles: tiles, block: depth.lowerBound, into: y)
            return
        }
        #if arch(x86_64)
            let first = rows.lowerBound
            // A panel without a neighbour is multiplied twice.
            let blocks = width == 2 ? weight.blockCount : 0
            var kernel: PanelPairDotKernel = multiplyInt8PanelPair
            if weight.type == .int4 { kernel = multiplyInt4PanelPair }
            kernel(
                panels,
                blocks * weight.type.blockByteCount,
                scales,
                blocks * weight.type.scaleByteCount,
                depth.count,
                x.numbers(row: first, height: 0, block: 0),
                x.scales(row: first, height: 0, block: 0),
                x.offsets(row: first, height: 0, block: 0),
                depth.lowerBound,
                x.blocks,
                rows.count,
                tiles,
                bias,
                depth.lowerBound == 0,
                next.map { UnsafeRawPointer(weight.block(depth.lowerBound, panel: $0)) },
                y,
                stride
            )
        #endif
    }
}

#if arch(x86_64)
    /// `multiplyInt8PanelPair` or `multiplyInt4PanelPair` of `DotKernels`; see there.
    private typealias PanelPairDotKernel = (
        UnsafeRawPointer, Int, UnsafeRawPointer, Int, Int, UnsafeRawPointer, UnsafePointer<Float>,
        UnsafeRawPointer, Int, Int, Int, Int, UnsafePointer<Float>?, Bool,
        UnsafeRawPointer?, UnsafeMutablePointer<Float>, Int
    ) -> Void
#endif

/// Sizes of the blocks of `DotProduct`.
private enum Blocking {
    /// Tiles of 6 rows in one task.
    static let tilesPerBlock = 24
    /// Blocks of 64 inputs at a time: a pair of panels of 32 KiB.
    static let depthBlocks = 16
    /// Tasks per thread wanted.
    static let tasksPerThread = 4
}
