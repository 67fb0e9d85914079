/// Copies `steps` steps of two neighbouring panels as f32 numbers, so that many tiles of rows use them without
/// widening them anew.
///
/// Compiled for x86-64-v4; must not be called on a processor without it. Widening is exact.
///
/// - Parameters:
///   - storage: `bfloat16Panels` or `float16Panels`.
///   - panels: the left panel's first step.
///   - panelStride: bytes from there to the right panel's.
///   - y: [2 panels][steps][16 numbers].
package func widenPanelPair(
    _ storage: Int,
    _ panels: UnsafeRawPointer,
    panelStride: Int,
    steps: Int,
    into y: UnsafeMutablePointer<Float>
) {
    for panel in 0..<2 {
        let source = panels + panel &* panelStride
        let target = UnsafeMutableRawPointer(y + panel &* steps &* 16)
        if storage == bfloat16Panels {
            widenBFloat16(source, steps: steps, into: target)
        } else {
            widenFloat16(source, steps: steps, into: target)
        }
    }
}

private func widenBFloat16(
    _ panel: UnsafeRawPointer,
    steps: Int,
    into y: UnsafeMutableRawPointer
) {
    for step in 0..<steps {
        let words = panel.loadUnaligned(fromByteOffset: step &* 32, as: SIMD8<UInt32>.self)
        y.storeBytes(of: words &<< 16, toByteOffset: step &* 64, as: SIMD8<UInt32>.self)
        y.storeBytes(
            of: words & 0xffff_0000,
            toByteOffset: step &* 64 &+ 32,
            as: SIMD8<UInt32>.self
        )
    }
}

private func widenFloat16(_ panel: UnsafeRawPointer, steps: Int, into y: UnsafeMutableRawPointer) {
    // Number by number, which the compiler turns into registers: the conversion of vectors stays a call of a
    // function that other modules have too.
    for number in 0..<16 &* steps {
        let value = Float(panel.loadUnaligned(fromByteOffset: number &* 2, as: Float16.self))
        y.storeBytes(of: value, toByteOffset: number &* 4, as: Float.self)
    }
}
