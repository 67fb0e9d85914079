internal import WideKernels

/// How one step of a panel (16 numbers, one for each output, all of the same input k) is stored and
/// widened to f32.
///
/// Widening happens in registers inside the product itself: per step the 6 × 16 tile has 12
/// multiply-adds (6 cycles) and 8 loads, which leaves issue slots for two more operations. With 512 bits
/// they take turns with the multiply-adds, so there many rows use panels widened beforehand
/// (`widenPanelPair`).
protocol PanelLanes {
    /// Bytes from one step to the next.
    static var stepByteCount: Int { get }

    static func load(_ step: UnsafeRawPointer) -> SIMD16<Float>

    /// What the kernel of `KernelSet.wide` for two panels calls this storage.
    static var pairStorage: Int { get }
}

/// 16 f32 numbers in order.
enum Float32Lanes: PanelLanes {
    @inline(__always) static var stepByteCount: Int { 64 }

    @inline(__always) static var pairStorage: Int { float32Panels }

    @inline(__always)
    static func load(_ step: UnsafeRawPointer) -> SIMD16<Float> {
        step.loadUnaligned(as: SIMD16<Float>.self)
    }
}

/// 8 words of 32 bits: bf16 number j in the lower half of word j, number j + 8 in the upper half, so
/// that a shift and a mask widen them without a shuffle.
enum BFloat16Lanes: PanelLanes {
    @inline(__always) static var stepByteCount: Int { 32 }

    @inline(__always) static var pairStorage: Int { bfloat16Panels }

    @inline(__always)
    static func load(_ step: UnsafeRawPointer) -> SIMD16<Float> {
        let words = step.loadUnaligned(as: SIMD8<UInt32>.self)
        let low = unsafeBitCast(words &<< 16, to: SIMD8<Float>.self)
        let high = unsafeBitCast(words & 0xffff_0000, to: SIMD8<Float>.self)
        return SIMD16(lowHalf: low, highHalf: high)
    }
}

/// 16 f16 numbers in order.
enum Float16Lanes: PanelLanes {
    @inline(__always) static var stepByteCount: Int { 32 }

    @inline(__always) static var pairStorage: Int { float16Panels }

    @inline(__always)
    static func load(_ step: UnsafeRawPointer) -> SIMD16<Float> {
        let low = step.loadUnaligned(as: SIMD8<Float16>.self)
        let high = (step + 16).loadUnaligned(as: SIMD8<Float16>.self)
        return SIMD16(lowHalf: SIMD8<Float>(low), highHalf: SIMD8<Float>(high))
    }
}
