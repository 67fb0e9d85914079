/// How the numbers of a weight are stored in a checkpoint; the raw value is safetensors' name of it.
package enum WeightType: String, Sendable, CaseIterable {
    case float32 = "F32"
    case bfloat16 = "BF16"
    case float16 = "F16"

    /// Bytes of one stored number.
    package var byteCount: Int {
        switch self {
        case .float32: 4
        case .bfloat16, .float16: 2
        }
    }
}

/// Widens `count` stored numbers to f32; every bf16 and f16 number is an f32 number, so it is exact.
///
/// The source may be unaligned, as tensors inside a safetensors file are.
package func widen(
    _ source: UnsafeRawPointer,
    type: WeightType,
    count: Int,
    into y: UnsafeMutablePointer<Float>
) {
    switch type {
    case .float32:
        UnsafeMutableRawPointer(y).copyMemory(from: source, byteCount: count * 4)
    case .bfloat16:
        for index in 0..<count {
            let bits = source.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
            y[index] = Float(bitPattern: UInt32(bits) &<< 16)
        }
    case .float16:
        for index in 0..<count {
            let bits = source.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
            y[index] = Float(Float16(bitPattern: bits))
        }
    }
}

/// The bf16 number nearest to `value`, ties to even; NaN stays NaN.
@inline(__always)
func roundedToBFloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
}

/// The f32 number of the bits of a bf16 number.
@inline(__always)
func widenedBFloat16(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
