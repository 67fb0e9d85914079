#if arch(x86_64)
    internal import CIntrinsics
#endif

// What the tiles of quantised products do beside adding integers. On x86-64 these are single instructions
// that the compiler does not form from Swift's vectors inside large functions; elsewhere Swift's own.

/// The bytes of four times eight numbers within -128…127, four to a word, in order.
@inline(__always)
func packedBytes(
    _ a: SIMD8<Int32>,
    _ b: SIMD8<Int32>,
    _ c: SIMD8<Int32>,
    _ d: SIMD8<Int32>
) -> SIMD8<Int32> {
    #if arch(x86_64)
        return rewardd_packed_i32(a, b, c, d)
    #else
        let quad = { (v: SIMD4<Int32>) -> Int32 in
            ((v & 0xff) &<< SIMD4(0, 8, 16, 24)).wrappedSum()
        }
        return SIMD8(
            quad(a.lowHalf),
            quad(a.highHalf),
            quad(b.lowHalf),
            quad(b.highHalf),
            quad(c.lowHalf),
            quad(c.highHalf),
            quad(d.lowHalf),
            quad(d.highHalf)
        )
    #endif
}

/// sums + f32(a) · b, rounded once; exact conversion for magnitudes up to 2²⁴.
@inline(__always)
func addingProduct(
    _ sums: SIMD8<Float>,
    _ a: SIMD8<Int32>,
    _ b: SIMD8<Float>
) -> SIMD8<Float> {
    #if arch(x86_64)
        rewardd_fused_multiply_add(rewardd_float_of_i32(a), b, sums)
    #else
        sums.addingProduct(SIMD8<Float>(a), b)
    #endif
}

/// sums + a · b, rounded once.
@inline(__always)
func addingProduct(
    _ sums: SIMD8<Float>,
    _ a: SIMD8<Float>,
    _ b: SIMD8<Float>
) -> SIMD8<Float> {
    #if arch(x86_64)
        rewardd_fused_multiply_add(a, b, sums)
    #else
        sums.addingProduct(a, b)
    #endif
}

/// 8 bf16 numbers, widened.
@inline(__always)
func widenedBFloat16(_ stored: UnsafeRawPointer) -> SIMD8<Float> {
    let bits = stored.loadUnaligned(as: SIMD8<UInt16>.self)
    #if arch(x86_64)
        let words = rewardd_widened_u16(bits)
    #else
        let words = SIMD8<UInt32>(truncatingIfNeeded: bits)
    #endif
    return unsafeBitCast(words &<< 16, to: SIMD8<Float>.self)
}

/// Asks for a cache line that will be read soon; the address need not exist.
@inline(__always)
func prefetch(_ address: UnsafeRawPointer) {
    #if arch(x86_64)
        rewardd_prefetch(address)
    #endif
}
