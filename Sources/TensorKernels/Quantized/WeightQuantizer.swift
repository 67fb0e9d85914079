/// Quantises one panel of a `PackedMatrix` when it is packed.
///
/// The bytes of a step belong to 16 outputs, four neighbouring bytes to each. In 8 bits a block has 16 steps;
/// the bytes of step s are q + 128 of inputs 4s…4s+3. In 4 bits it has 8; the lower halves are q of inputs
/// 8s…8s+3, the upper ones of 8s+4…8s+7. Inputs that fill up the last block, and outputs that fill up the
/// last panel, are 0: their scale may be anything in 8 bits, while in 4 bits rows of x are 0 there.
struct WeightQuantizer {
    let matrix: PackedMatrix
    let panel: Int

    /// Quantises `columns` rows of W, `inputs` stored numbers each.
    func quantize(_ source: UnsafeRawPointer, type: WeightType, columns: Int) {
        let inputs = matrix.inputs
        let size = PanelType.blockInputs
        withUnsafeTemporaryAllocation(of: Float.self, capacity: size) { buffer in
            guard let weights = buffer.baseAddress else { return }
            for block in 0..<matrix.blockCount {
                let first = block * size
                let count = min(size, inputs - first)
                for column in 0..<PackedMatrix.panelWidth {
                    buffer.update(repeating: 0)
                    if column < columns {
                        widen(
                            source + (column * inputs + first) * type.byteCount,
                            type: type,
                            count: count,
                            into: weights
                        )
                    }
                    if matrix.type == .int8 {
                        storeBytes(of: weights, block: block, column: column)
                    } else {
                        storeHalves(of: weights, count: count, block: block, column: column)
                    }
                }
            }
        }
    }

    // MARK: - 8 bits

    /// w ≈ scale · q, q in -127…127. The scale is rounded up to bf16, so that 127 is never exceeded; it loses
    /// at most a 128th of the resolution.
    private func storeBytes(of weights: UnsafePointer<Float>, block: Int, column: Int) {
        let exact = largestMagnitude(weights, count: PanelType.blockInputs) / 127
        let bits =
            exact.isNaN
            ? 0x7fc0 : UInt16(truncatingIfNeeded: (exact.bitPattern &+ 0xffff) >> 16)
        let scale = widenedBFloat16(bits)
        // A scale too small for its inverse stands for zeros; one that is no number makes the output none.
        let inverse = scale < 0x1p-120 ? 0 : 1 / scale
        matrix.scales(block, panel: panel).storeBytes(
            of: bits,
            toByteOffset: 2 * column,
            as: UInt16.self
        )
        let target = matrix.block(block, panel: panel)
        for step in 0..<16 {
            let w = UnsafeRawPointer(weights + 4 * step).loadUnaligned(as: SIMD4<Float>.self)
            let q = rounded(w * inverse) &+ 128
            target.storeBytes(
                of: quad(q),
                toByteOffset: step * 64 + column * 4,
                as: UInt32.self
            )
        }
    }

    // MARK: - 4 bits

    /// w ≈ scale · q + minimum, q in 0…15, over the first `count` inputs.
    ///
    /// The levels that reach from the least to the largest weight are the first guess. For several spans
    /// around it, all with the same middle, scale and minimum are then fitted to the levels by least squares,
    /// and the best is kept: a tenth less error than the guess on normal numbers.
    private func storeHalves(
        of weights: UnsafeMutablePointer<Float>,
        count: Int,
        block: Int,
        column: Int
    ) {
        let fit = HalfByteFit.best(for: weights, count: count)
        let target = matrix.block(block, panel: panel)
        for step in 0..<8 {
            let low = fit.levels(of: weights + 8 * step)
            let high = fit.levels(of: weights + 8 * step + 4)
            target.storeBytes(
                of: quad(low) | quad(high) << 4,
                toByteOffset: step * 64 + column * 4,
                as: UInt32.self
            )
        }
        let scales = matrix.scales(block, panel: panel)
        scales.storeBytes(of: fit.scaleBits, toByteOffset: 2 * column, as: UInt16.self)
        scales.storeBytes(of: fit.minimumBits, toByteOffset: 32 + 2 * column, as: UInt16.self)
    }

    /// Four bytes, the first number lowest.
    @inline(__always)
    private func quad(_ q: SIMD4<Int32>) -> UInt32 {
        let shifted = unsafeBitCast(q & 0xff, to: SIMD4<UInt32>.self) &<< SIMD4(0, 8, 16, 24)
        return shifted.wrappedSum()
    }
}

/// Levels of 4 bits for one block of one output, and what they stand for.
private struct HalfByteFit {
    /// Levels are round((w - middle) · inverse + 7.5).
    let middle: Float
    let inverse: Float
    var scaleBits: UInt16 = 0
    var minimumBits: UInt16 = 0

    /// Steps between the least and the largest weight that are tried.
    private static let spans: [Float] = [14, 14.5, 15, 15.5, 16, 17, 18]

    @inline(__always)
    func levels(of weights: UnsafePointer<Float>) -> SIMD4<Int32> {
        let w = UnsafeRawPointer(weights).loadUnaligned(as: SIMD4<Float>.self)
        var q = rounded((w - middle) * inverse + 7.5)
        q.replace(with: 0, where: q .< 0)
        q.replace(with: 15, where: q .> 15)
        return q
    }

    static func best(for weights: UnsafePointer<Float>, count: Int) -> HalfByteFit {
        var least = weights[0]
        var largest = weights[0]
        var total: Float = 0
        for k in 0..<count {
            // A weight that is no number makes the sum, and so the output, none.
            least = min(least, weights[k])
            largest = max(largest, weights[k])
            total += weights[k]
        }
        var best = HalfByteFit(middle: least, inverse: 0)
        best.minimumBits = roundedToBFloat16(total.isFinite ? least : .nan)
        guard total.isFinite, largest - least > 0x1p-110 else { return best }
        var bestError = Float.infinity
        for span in spans {
            var fit = HalfByteFit(
                middle: least + (largest - least) / 2,
                inverse: span / (largest - least)
            )
            let error = fit.adjust(to: weights, count: count, total: total)
            if error < bestError {
                bestError = error
                best = fit
            }
        }
        return best
    }

    /// Fits scale and minimum to the levels; returns the squared error of what is stored, without the
    /// weights' own squares.
    private mutating func adjust(
        to weights: UnsafePointer<Float>,
        count: Int,
        total: Float
    ) -> Float {
        var sum = SIMD4<Float>.zero
        var squares = SIMD4<Float>.zero
        var products = SIMD4<Float>.zero
        for start in stride(from: 0, to: count, by: 4) {
            var q = SIMD4<Float>(levels(of: weights + start))
            let w = UnsafeRawPointer(weights + start).loadUnaligned(as: SIMD4<Float>.self)
            if start + 4 > count {
                for lane in (count - start)..<4 { q[lane] = 0 }
            }
            sum += q
            squares += q * q
            products += q * w
        }
        let n = Float(count)
        let (s, ss, sw) = (sum.sum(), squares.sum(), products.sum())
        let spread = n * ss - s * s
        guard spread > 0 else { return .infinity }
        scaleBits = roundedToBFloat16((n * sw - s * total) / spread)
        let scale = widenedBFloat16(scaleBits)
        minimumBits = roundedToBFloat16((total - scale * s) / n)
        let minimum = widenedBFloat16(minimumBits)
        return scale * scale * ss + 2 * scale * minimum * s + n * minimum * minimum
            - 2 * (scale * sw + minimum * total)
    }
}

/// The nearest whole numbers, ties to even, of numbers within ±2²¹; of others some number, never a trap.
@inline(__always)
func rounded(_ values: SIMD4<Float>) -> SIMD4<Int32> {
    unsafeBitCast(values + roundingOffset, to: SIMD4<Int32>.self) &- roundingBits
}

/// Adding 1.5 · 2²³ leaves no bits for a fraction.
let roundingOffset: Float = 0x1.8p23
let roundingBits = Int32(bitPattern: roundingOffset.bitPattern)

/// The largest magnitude of `count` (a multiple of 8) numbers; NaN if one is NaN, as bits of NaN are above
/// those of infinity.
@inline(__always)
func largestMagnitude(_ x: UnsafePointer<Float>, count: Int) -> Float {
    var largest = SIMD8<Int32>.zero
    for start in stride(from: 0, to: count, by: 8) {
        let bits = UnsafeRawPointer(x + start).loadUnaligned(as: SIMD8<Int32>.self) & 0x7fff_ffff
        largest.replace(with: bits, where: bits .> largest)
    }
    var four = largest.lowHalf
    four.replace(with: largest.highHalf, where: largest.highHalf .> four)
    return Float(
        bitPattern: UInt32(
            bitPattern: Swift.max(Swift.max(four[0], four[1]), Swift.max(four[2], four[3]))
        )
    )
}

extension PackedMatrix {
    /// What is held of one output's weights in one block of inputs: w ≈ scale · value + minimum. For tests and
    /// reports, not for products.
    package func quantizedBlock(
        _ block: Int,
        output: Int
    ) -> (values: [Int32], scale: Float, minimum: Float?) {
        precondition(type.isQuantized, "quantizedBlock: weights in \(type.rawValue)")
        let panel = output / Self.panelWidth
        let column = output % Self.panelWidth
        let numbers = self.block(block, panel: panel)
        let scales = scales(block, panel: panel)
        let count = min(PanelType.blockInputs, inputs - block * PanelType.blockInputs)
        let values = (0..<count).map { k in
            let step = type == .int8 ? k / 4 : k / 8
            let byte = numbers.load(fromByteOffset: step * 64 + column * 4 + k % 4, as: UInt8.self)
            return type == .int8 ? Int32(byte) - 128 : Int32(k % 8 < 4 ? byte & 15 : byte >> 4)
        }
        let stored = { (place: Int) in
            widenedBFloat16(scales.load(fromByteOffset: place + 2 * column, as: UInt16.self))
        }
        return (values, stored(0), type == .int4 ? stored(32) : nil)
    }
}
