/// One block of up to 6 × 16 numbers of a product inside the attention of sequences, in registers.
///
/// Unlike `Microkernel`, both operands may lie at any distance: queries, keys and values of one head are
/// short (16…64 numbers) and met only a few times, so packing every operand costs more than it gains.
struct AttentionTile {
    let x: UnsafePointer<Float>
    /// From one row of the result to the next in x.
    let rowStride: Int
    /// From one step of the sum to the next in x.
    let stepStride: Int
    let panel: UnsafePointer<Float>
    /// From one step to the next in the panel; a step has 16 numbers.
    let panelStride: Int
    let steps: Int

    /// y[row] = Σ x · panel, or y[row] += it, steps ascending, for `height` (1…6) rows that lie `stride`
    /// numbers apart; of each, `columns` (1…16) numbers are touched.
    @inline(__always)
    func multiply(
        height: Int,
        accumulate: Bool,
        into y: UnsafeMutablePointer<Float>,
        stride: Int,
        columns: Int = 16
    ) {
        let target = Target(y: y, stride: stride, columns: columns, accumulate: accumulate)
        switch height {
        case 6: add(to: target, InlineArray<6, SIMD16<Float>>(repeating: .zero))
        case 5: add(to: target, InlineArray<5, SIMD16<Float>>(repeating: .zero))
        case 4: add(to: target, InlineArray<4, SIMD16<Float>>(repeating: .zero))
        case 3: add(to: target, InlineArray<3, SIMD16<Float>>(repeating: .zero))
        case 2: add(to: target, InlineArray<2, SIMD16<Float>>(repeating: .zero))
        default: add(to: target, InlineArray<1, SIMD16<Float>>(repeating: .zero))
        }
    }

    private struct Target {
        let y: UnsafeMutablePointer<Float>
        let stride: Int
        let columns: Int
        let accumulate: Bool

        @inline(__always)
        func load<let height: Int>(into acc: inout InlineArray<height, SIMD16<Float>>) {
            if columns == 16 {
                for row in 0..<height { acc[row] = load16(y + row &* stride) }
                return
            }
            for row in 0..<height {
                for column in 0..<columns { acc[row][column] = y[row &* stride &+ column] }
            }
        }

        @inline(__always)
        func store<let height: Int>(_ acc: InlineArray<height, SIMD16<Float>>) {
            if columns == 16 {
                for row in 0..<height { store16(acc[row], into: y + row &* stride) }
                return
            }
            for row in 0..<height {
                for column in 0..<columns { y[row &* stride &+ column] = acc[row][column] }
            }
        }
    }

    @inline(__always)
    private func add<let height: Int>(
        to target: Target,
        _ zeros: InlineArray<height, SIMD16<Float>>
    ) {
        var acc = zeros
        if target.accumulate { target.load(into: &acc) }
        var x = x
        var step = panel
        var left = steps
        // Four by hand, see `Microkernel`.
        while left >= 4 {
            accumulate(x, step, &acc)
            accumulate(x + stepStride, step + panelStride, &acc)
            accumulate(x + 2 &* stepStride, step + 2 &* panelStride, &acc)
            accumulate(x + 3 &* stepStride, step + 3 &* panelStride, &acc)
            x += 4 &* stepStride
            step += 4 &* panelStride
            left &-= 4
        }
        while left > 0 {
            accumulate(x, step, &acc)
            x += stepStride
            step += panelStride
            left &-= 1
        }
        target.store(acc)
    }

    @inline(__always)
    private func accumulate<let height: Int>(
        _ x: UnsafePointer<Float>,
        _ step: UnsafePointer<Float>,
        _ acc: inout InlineArray<height, SIMD16<Float>>
    ) {
        let values = load16(step)
        for row in 0..<height {
            acc[row].addProduct(SIMD16(repeating: x[row &* rowStride]), values)
        }
    }
}

/// scores[row] = x[row] · panel: 1…6 rows, `stride` numbers apart, by a transposed panel of 16 keys.
func multiplyByKeys(
    height: Int,
    _ x: UnsafePointer<Float>,
    stride: Int,
    dimension: Int,
    panel: UnsafePointer<Float>,
    into scores: UnsafeMutablePointer<Float>
) {
    AttentionTile(
        x: x,
        rowStride: stride,
        stepStride: 1,
        panel: panel,
        panelStride: 16,
        steps: dimension
    ).multiply(
        height: height,
        accumulate: false,
        into: scores,
        stride: AttentionKeyBlock.stride
    )
}

/// y[row] += Σ weights[row][key] · rows[key] for 1…6 rows of weights, keys ascending; 16 columns.
///
/// - Parameters:
///   - rows: keys or values, `stride` numbers apart like those of y.
func addWeightedKeys(
    height: Int,
    _ weights: UnsafePointer<Float>,
    rows: UnsafePointer<Float>,
    count: Int,
    into y: UnsafeMutablePointer<Float>,
    stride: Int
) {
    AttentionTile(
        x: weights,
        rowStride: AttentionKeyBlock.stride,
        stepStride: 1,
        panel: rows,
        panelStride: stride,
        steps: count
    ).multiply(height: height, accumulate: true, into: y, stride: stride)
}

/// y[key] += Σ weights[row][key] · rows[row] for 1…6 keys, rows ascending: the product with the transposed
/// weights.
///
/// - Parameters:
///   - rows: queries or gradients, `rowStride` numbers apart.
///   - y: `stride` numbers apart, of which `columns` (1…16) are touched.
func addWeightedRows(
    height: Int,
    _ weights: UnsafePointer<Float>,
    rows: UnsafePointer<Float>,
    rowStride: Int,
    count: Int,
    into y: UnsafeMutablePointer<Float>,
    stride: Int,
    columns: Int
) {
    AttentionTile(
        x: weights,
        rowStride: 1,
        stepStride: AttentionKeyBlock.stride,
        panel: rows,
        panelStride: rowStride,
        steps: count
    ).multiply(
        height: height,
        accumulate: true,
        into: y,
        stride: stride,
        columns: columns
    )
}
