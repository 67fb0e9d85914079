/// x = e^(x - highest) in place, and the sums of lanes 0…7 of the results: the softmax of attention, with 512-bit
/// registers.
///
/// Compiled for x86-64-v4; must not be called on a processor without it. The steps are those of
/// `exponentialOfNonPositive` of TensorKernels, and the sums are added in the order of vectors of 8: the bits are
/// the same.
///
/// - Parameter width: numbers in the row, a multiple of 16; none is above `highest`.
package func rowExponentials(
    _ row: UnsafeMutablePointer<Float>,
    width: Int,
    minus highest: Float
) -> SIMD8<Float> {
    let numbers = UnsafeMutableRawPointer(row)
    let highest = SIMD16<Float>(repeating: highest)
    var total = SIMD8<Float>.zero
    for place in 0..<width / 16 {
        let x = numbers.loadUnaligned(fromByteOffset: place &* 64, as: SIMD16<Float>.self) - highest
        let y = exponential(x)
        numbers.storeBytes(of: y, toByteOffset: place &* 64, as: SIMD16<Float>.self)
        total += y.lowHalf
        total += y.highHalf
    }
    return total
}

@inline(__always)
private func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let magic = SIMD16<Float>(repeating: 12_582_912)
    let shifted = magic.addingProduct(x, SIMD16(repeating: 1.442_695_040_888_963_4))
    let n = shifted - magic
    let r = x.addingProduct(n, SIMD16(repeating: -0x1.62e4p-1))
        .addingProduct(n, SIMD16(repeating: -0x1.7f7d1cp-20))
    var p = SIMD16<Float>(repeating: 0x1.6a23cep-10)
    p = SIMD16(repeating: 0x1.123a2p-7).addingProduct(p, r)
    p = SIMD16(repeating: 0x1.5558f2p-5).addingProduct(p, r)
    p = SIMD16(repeating: 0x1.555492p-3).addingProduct(p, r)
    p = SIMD16(repeating: 0x1.fffffcp-2).addingProduct(p, r)
    p = SIMD16(repeating: 1).addingProduct(p, r)
    p = SIMD16(repeating: 1).addingProduct(p, r)
    let bits =
        unsafeBitCast(p, to: SIMD16<UInt32>.self)
        &+ (unsafeBitCast(shifted, to: SIMD16<UInt32>.self) &<< 23)
    let y = unsafeBitCast(bits, to: SIMD16<Float>.self)
    return y.replacing(with: 0, where: x .< -87.336_54)
}
