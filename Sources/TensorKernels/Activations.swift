/// x = 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), in place: GELU in the tanh form of Hendrycks and
/// Gimpel 2016, `gelu_pytorch_tanh` of the SigLIP tower. Computed as x / (1 + e^(-2u)).
package func geluTanh(_ x: UnsafeMutablePointer<Float>, count: Int, pool: ComputeThreadPool) {
    forEachVector(x, count: count, pool: pool) { value, _ in geluTanh(value) }
}

/// The same for a piece of a row, on the calling thread.
func geluTanh(_ x: UnsafeMutablePointer<Float>, count: Int) {
    forEachVector(x, with: x, range: 0..<count) { value, _ in geluTanh(value) }
}

@inline(__always)
private func geluTanh(_ value: SIMD8<Float>) -> SIMD8<Float> {
    let cube = value * value * value
    let u = (value + cube * 0.044_715) * 0.797_884_56
    return value / (exponential(u * -2) + 1)
}

/// x = 0.5·x·(1 + erf(x / √2)), in place: GELU in the exact form, as in the projector.
package func geluErf(_ x: UnsafeMutablePointer<Float>, count: Int, pool: ComputeThreadPool) {
    forEachVector(x, count: count, pool: pool) { value, _ in
        // 0.5·x·erfc(|x|/√2) is the result for x < 0 without cancellation, and x minus it for x > 0.
        let tail = value * complementaryError(ofRootHalf: value) * 0.5
        var magnitudeTail = tail
        magnitudeTail.replace(with: value - tail, where: value .> 0)
        return magnitudeTail
    }
}

/// gate = silu(gate) · up with silu(v) = v / (1 + e^-v), in place (Shazeer 2020; Qwen2MLP).
package func siluMultiply(
    gate: UnsafeMutablePointer<Float>,
    up: UnsafePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    forEachVector(gate, with: up, count: count, pool: pool) { siluMultiply($0, $1) }
}

/// The same for a piece of a row, on the calling thread.
func siluMultiply(
    _ gate: UnsafeMutablePointer<Float>,
    _ up: UnsafePointer<Float>,
    count: Int
) {
    forEachVector(gate, with: up, range: 0..<count) { siluMultiply($0, $1) }
}

@inline(__always)
private func siluMultiply(_ value: SIMD8<Float>, _ up: SIMD8<Float>) -> SIMD8<Float> {
    value / (exponential(-value) + 1) * up
}

/// x = e^x, in place.
package func exponentialInPlace(
    _ x: UnsafeMutablePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    forEachVector(x, count: count, pool: pool) { value, _ in exponential(value) }
}

/// x += y.
package func addInPlace(
    _ x: UnsafeMutablePointer<Float>,
    _ y: UnsafePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    forEachVector(x, with: y, count: count, pool: pool) { $0 + $1 }
}

/// erfc(|x| / √2) in 8 lanes, relative error below 1e-6 while it is above 1e-7.
///
/// erfc(z) = e^(-z²)·R(t) with t = 1 / (1 + 0.4 z); R is a polynomial of degree 10 fitted to
/// e^(z²)·erfc(z) for the least relative error (1.2e-9 before rounding) on 0 ≤ z ≤ 9.3.
@inline(__always)
private func complementaryError(ofRootHalf x: SIMD8<Float>) -> SIMD8<Float> {
    var magnitude = x
    magnitude.replace(with: -x, where: x .< 0)
    let t = 1 / (magnitude * 0.282_842_71 + 1)
    var r = SIMD8<Float>(repeating: -0.039_748_143)
    r = SIMD8(repeating: 0.256_611_35).addingProduct(r, t)
    r = SIMD8(repeating: -0.646_981_24).addingProduct(r, t)
    r = SIMD8(repeating: 0.763_222_22).addingProduct(r, t)
    r = SIMD8(repeating: -0.484_454_99).addingProduct(r, t)
    r = SIMD8(repeating: 0.395_287_96).addingProduct(r, t)
    r = SIMD8(repeating: 0.078_717_135).addingProduct(r, t)
    r = SIMD8(repeating: 0.228_878_53).addingProduct(r, t)
    r = SIMD8(repeating: 0.222_530_56).addingProduct(r, t)
    r = SIMD8(repeating: 0.225_947_01).addingProduct(r, t)
    r = SIMD8(repeating: -1.033_449_8e-05).addingProduct(r, t)
    return exponential(magnitude * magnitude * -0.5) * r
}

/// x[i] = body(x[i], y[i]) in vectors of 8; a tail goes through the same body in a copy, so that the
/// result of an element never depends on its place. A task has 8 Ki numbers: 32 KiB.
@inline(__always)
private func forEachVector(
    _ x: UnsafeMutablePointer<Float>,
    with y: UnsafePointer<Float>? = nil,
    count: Int,
    pool: ComputeThreadPool,
    _ body: (SIMD8<Float>, SIMD8<Float>) -> SIMD8<Float>
) {
    guard count > 0 else { return }
    let y = y ?? UnsafePointer(x)
    let size = 8 << 10
    pool.run(count: (count + size - 1) / size) { block, _ in
        let range = (block * size)..<min((block + 1) * size, count)
        forEachVector(x, with: y, range: range, body)
    }
}

@inline(__always)
private func forEachVector(
    _ x: UnsafeMutablePointer<Float>,
    with y: UnsafePointer<Float>,
    range: Range<Int>,
    _ body: (SIMD8<Float>, SIMD8<Float>) -> SIMD8<Float>
) {
    let end = range.upperBound
    var index = range.lowerBound
    while index + 8 <= end {
        store8(body(load8(x + index), load8(y + index)), into: x + index)
        index += 8
    }
    guard index < end else { return }
    var a = SIMD8<Float>.zero
    var b = SIMD8<Float>.zero
    for lane in 0..<(end - index) {
        a[lane] = x[index + lane]
        b[lane] = y[index + lane]
    }
    let result = body(a, b)
    for lane in 0..<(end - index) { x[index + lane] = result[lane] }
}
