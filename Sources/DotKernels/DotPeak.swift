internal import CIntrinsics

/// Products of bytes by `vpdpbusd` from registers only: what a product of quantised weights could reach at
/// best.
///
/// Runs 12 chains, `steps` × 12 × 64 multiply-adds. Must not be called on a processor without AVX-512 VNNI.
///
/// - Returns: the sum of all chains, so that nothing is optimised away.
package func wideDotProducts(steps: Int, _ a: Int32, _ b: Int32) -> Int32 {
    #if arch(x86_64)
        let a = SIMD16<Int32>(repeating: a)
        let b = SIMD16<Int32>(repeating: b)
        let zero = SIMD16<Int32>.zero
        // Spelt out: `init(repeating:)` stays a call of a function that other modules have too.
        var acc: InlineArray<12, SIMD16<Int32>> = [
            zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero, zero,
        ]
        for _ in 0..<steps {
            for chain in 0..<12 { acc[chain] = rewardd_dot_u8_i8(acc[chain], a, b) }
        }
        var sum = acc[0]
        for chain in 1..<12 { sum = sum &+ acc[chain] }
        return sum.wrappedSum()
    #else
        preconditionFailure("wideDotProducts: expected x86-64")
    #endif
}
