/// The product for 1…3 rows: decoding. Weights are read from memory once, several panels at a time,
/// because one panel has too few chains to hide the latency of multiply-adds.
struct FewRowsProduct<Lanes: PanelLanes> {
    let x: UnsafePointer<Float>
    let rows: Int
    let targets: ProductTargets

    /// From 4 rows on, one panel alone has chains enough.
    static var rowLimit: Int { 3 }

    func run(on pool: ComputeThreadPool) {
        // Chunks of at least 64 KiB, at most 16 a thread.
        let panels = targets.units(of: 1)
        let chunks = max(1, min(targets.byteCount >> 16, 16 * pool.threadCount, panels))
        pool.run(count: chunks) { chunk, _ in
            let range = evenRange(chunk, of: chunks, count: panels)
            targets.forEach(range, unit: 1) { target, panels in
                FewRowsSweep<Lanes>(x: x, target: target).multiply(rows: rows, panels: panels)
            }
            targets.finish(rows: 0..<rows, range, unit: 1)
        }
    }
}

/// Some panels of one matrix.
private struct FewRowsSweep<Lanes: PanelLanes> {
    let x: UnsafePointer<Float>
    let target: ProductTarget

    func multiply(rows: Int, panels: Range<Int>) {
        switch rows {
        case 1: sweep(panels, InlineArray<1, InlineArray<4, SIMD16<Float>>>(repeating: .zeros))
        case 2: sweep(panels, InlineArray<2, InlineArray<3, SIMD16<Float>>>(repeating: .zeros))
        default: sweep(panels, InlineArray<3, InlineArray<2, SIMD16<Float>>>(repeating: .zeros))
        }
    }

    @inline(__always)
    private func sweep<let count: Int, let width: Int>(
        _ panels: Range<Int>,
        _ zeros: InlineArray<count, InlineArray<width, SIMD16<Float>>>
    ) {
        var panel = panels.lowerBound
        while panel + width <= panels.upperBound {
            multiply(panel: panel, zeros)
            panel += width
        }
        while panel < panels.upperBound {
            multiply(panel: panel, InlineArray<count, InlineArray<1, _>>(repeating: .zeros))
            panel += 1
        }
    }

    @inline(__always)
    private func multiply<let count: Int, let width: Int>(
        panel: Int,
        _ zeros: InlineArray<count, InlineArray<width, SIMD16<Float>>>
    ) {
        var acc = zeros
        let weight = target.weight
        Microkernel.accumulate(
            Lanes.self,
            x,
            rowStride: weight.inputs,
            panel: weight.step(panel: panel, input: 0),
            panelStride: weight.inputs * Lanes.stepByteCount,
            steps: weight.inputs,
            &acc
        )
        for column in 0..<width {
            let output = (panel + column) * PackedMatrix.panelWidth
            for row in 0..<count {
                finish(acc[row][column], row: row, output: output)
            }
        }
    }

    /// Adds the bias and writes the valid columns.
    @inline(__always)
    private func finish(_ sums: SIMD16<Float>, row: Int, output: Int) {
        let outputs = target.weight.outputs
        let y = target.y + row * outputs + output
        let bias = target.bias
        let columns = outputs - output
        if columns >= PackedMatrix.panelWidth {
            store16(bias.map { sums + load16($0 + output) } ?? sums, into: y)
        } else {
            for column in 0..<columns { y[column] = sums[column] + (bias?[output + column] ?? 0) }
        }
    }
}

extension InlineArray where Element == SIMD16<Float> {
    /// All accumulators 0.
    static var zeros: Self { Self(repeating: .zero) }
}
