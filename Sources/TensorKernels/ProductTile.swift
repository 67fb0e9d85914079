/// Multiplies `height` (1…6) interleaved rows by one panel.
///
/// - Parameters:
///   - rows: [steps][height], see `interleaveRows`.
///   - bias: 16 numbers to add at the end, or nil.
///   - isFirst: start from 0; otherwise continue the chains from the sums in `y`.
///   - y: [height, 16], rows `stride` numbers apart.
@inline(__always)
func multiplyTile<Lanes: PanelLanes>(
    _ lanes: Lanes.Type,
    height: Int,
    _ rows: UnsafePointer<Float>,
    panel: UnsafeRawPointer,
    steps: Int,
    bias: UnsafePointer<Float>?,
    isFirst: Bool,
    into y: UnsafeMutablePointer<Float>,
    stride: Int
) {
    let tile = ProductTile<Lanes>(
        rows: rows,
        panel: panel,
        steps: steps,
        bias: bias,
        isFirst: isFirst,
        y: y,
        stride: stride
    )
    switch height {
    case 6: tile.multiply(InlineArray<6, SIMD16<Float>>(repeating: .zero))
    case 5: tile.multiply(InlineArray<5, SIMD16<Float>>(repeating: .zero))
    case 4: tile.multiply(InlineArray<4, SIMD16<Float>>(repeating: .zero))
    case 3: tile.multiply(InlineArray<3, SIMD16<Float>>(repeating: .zero))
    case 2: tile.multiply(InlineArray<2, SIMD16<Float>>(repeating: .zero))
    default: tile.multiply(InlineArray<1, SIMD16<Float>>(repeating: .zero))
    }
}

/// The arguments of `multiplyTile`.
private struct ProductTile<Lanes: PanelLanes> {
    let rows: UnsafePointer<Float>
    let panel: UnsafeRawPointer
    let steps: Int
    let bias: UnsafePointer<Float>?
    let isFirst: Bool
    let y: UnsafeMutablePointer<Float>
    let stride: Int

    @inline(__always)
    func multiply<let height: Int>(_ zeros: InlineArray<height, SIMD16<Float>>) {
        var acc = zeros
        if !isFirst {
            for row in 0..<height { acc[row] = load16(y + row &* stride) }
        }
        Microkernel.accumulate(
            Lanes.self,
            rows,
            rowStride: 1,
            stepStride: height,
            panel: panel,
            steps: steps,
            &acc
        )
        if let bias {
            let bias = load16(bias)
            for row in 0..<height { acc[row] += bias }
        }
        for row in 0..<height { store16(acc[row], into: y + row &* stride) }
    }
}
