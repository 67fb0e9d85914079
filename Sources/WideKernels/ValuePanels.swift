/// Keys in one step of the online softmax: rows of weights lie so far apart, and two blocks of values hold as many.
private let keyStride = 128

/// Adds weighted values to the sums of attention with 512-bit registers: sums[row] += Σ weights[row][key] ·
/// values[key] for one or two panels of 16 columns, at most 128 keys that lie in two blocks of 64.
///
/// Compiled for x86-64-v4; must not be called on a processor without it. Each element is one chain of fused
/// multiply-adds over ascending keys through both blocks, so its bits are those of the tile of x86-64-v3.
///
/// - Parameters:
///   - first: the panel in the first block, [64][16]; `second` that of the second block, not read when `keys`
///     is at most 64.
///   - panelStride: bytes from a panel to its right neighbour in the same block; 0 for one panel only.
///   - weights: [height][128].
///   - height: 1…6 rows.
///   - sums: [height, 16 or 32], rows `stride` numbers apart.
package func addWeightedValues(
    first: UnsafeRawPointer,
    second: UnsafeRawPointer,
    panelStride: Int,
    keys: Int,
    weights: UnsafePointer<Float>,
    height: Int,
    into sums: UnsafeMutablePointer<Float>,
    stride: Int
) {
    let product = WeightedValues(
        first: first,
        second: second,
        panelStride: panelStride,
        keys: keys,
        weights: weights,
        sums: sums,
        stride: stride
    )
    switch height {
    case 6: product.add(InlineArray<6, SIMD16<Float>>(repeating: .zero))
    case 5: product.add(InlineArray<5, SIMD16<Float>>(repeating: .zero))
    case 4: product.add(InlineArray<4, SIMD16<Float>>(repeating: .zero))
    case 3: product.add(InlineArray<3, SIMD16<Float>>(repeating: .zero))
    case 2: product.add(InlineArray<2, SIMD16<Float>>(repeating: .zero))
    default: product.add(InlineArray<1, SIMD16<Float>>(repeating: .zero))
    }
}

/// The arguments of `addWeightedValues`.
private struct WeightedValues {
    let first: UnsafeRawPointer
    let second: UnsafeRawPointer
    let panelStride: Int
    let keys: Int
    let weights: UnsafePointer<Float>
    let sums: UnsafeMutablePointer<Float>
    let stride: Int

    @inline(__always)
    func add<let height: Int>(_ zeros: InlineArray<height, SIMD16<Float>>) {
        let inFirst = keys < 64 ? keys : 64
        if panelStride == 0 {
            var left = zeros
            for row in 0..<height { left[row] = load(sums + row &* stride) }
            addOne(first, weights, inFirst, &left)
            addOne(second, weights + 64, keys &- inFirst, &left)
            for row in 0..<height { store(left[row], sums + row &* stride) }
            return
        }
        var left = zeros
        var right = zeros
        for row in 0..<height {
            left[row] = load(sums + row &* stride)
            right[row] = load(sums + (row &* stride &+ 16))
        }
        addTwo(first, weights, inFirst, &left, &right)
        addTwo(second, weights + 64, keys &- inFirst, &left, &right)
        for row in 0..<height {
            store(left[row], sums + row &* stride)
            store(right[row], sums + (row &* stride &+ 16))
        }
    }

    /// Six chains only, on two ports of four cycles: three quarters of what two panels reach.
    @inline(__always)
    private func addOne<let height: Int>(
        _ values: UnsafeRawPointer,
        _ weights: UnsafePointer<Float>,
        _ keys: Int,
        _ left: inout InlineArray<height, SIMD16<Float>>
    ) {
        for key in 0..<keys {
            let w = values.loadUnaligned(fromByteOffset: key &* 64, as: SIMD16<Float>.self)
            for row in 0..<height {
                left[row].addProduct(
                    SIMD16<Float>(repeating: weights[row &* keyStride &+ key]),
                    w
                )
            }
        }
    }

    @inline(__always)
    private func addTwo<let height: Int>(
        _ values: UnsafeRawPointer,
        _ weights: UnsafePointer<Float>,
        _ keys: Int,
        _ left: inout InlineArray<height, SIMD16<Float>>,
        _ right: inout InlineArray<height, SIMD16<Float>>
    ) {
        let neighbour = values + panelStride
        for key in 0..<keys {
            let w = values.loadUnaligned(fromByteOffset: key &* 64, as: SIMD16<Float>.self)
            let v = neighbour.loadUnaligned(fromByteOffset: key &* 64, as: SIMD16<Float>.self)
            for row in 0..<height {
                let x = SIMD16<Float>(repeating: weights[row &* keyStride &+ key])
                left[row].addProduct(x, w)
                right[row].addProduct(x, v)
            }
        }
    }

    @inline(__always)
    private func load(_ numbers: UnsafePointer<Float>) -> SIMD16<Float> {
        UnsafeRawPointer(numbers).loadUnaligned(as: SIMD16<Float>.self)
    }

    @inline(__always)
    private func store(_ value: SIMD16<Float>, _ numbers: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(numbers).storeBytes(of: value, as: SIMD16<Float>.self)
    }
}
