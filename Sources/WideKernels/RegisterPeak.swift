/// Fused multiply-adds from 512-bit registers only: what a product could reach at best.
///
/// Runs 12 chains, `steps` × 12 × 16 multiply-adds; two ports times four cycles need at least eight
/// chains. Compiled for x86-64-v4; must not be called on a processor without it.
///
/// - Returns: the sum of all chains, so that nothing is optimised away.
package func wideMultiplyAdds(steps: Int, _ a: Float, _ b: Float) -> Float {
    let a = SIMD16<Float>(repeating: a)
    let b = SIMD16<Float>(repeating: b)
    let zero = SIMD16<Float>.zero
    // Spelt out: `init(repeating:)` stays a call of a function that other modules have too.
    var acc: InlineArray<12, SIMD16<Float>> = [
        zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero,
    ]
    for _ in 0..<steps {
        for chain in 0..<12 { acc[chain].addProduct(a, b) }
    }
    var sum = acc[0]
    for chain in 1..<12 { sum += acc[chain] }
    return sum.sum()
}
