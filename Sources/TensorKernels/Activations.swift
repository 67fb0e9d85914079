internal import Glibc

/// GELU, tanh form, in place.
package func geluTanh(_ x: UnsafeMutablePointer<Float>, count: Int, pool: ComputeThreadPool) {
    for i in 0..<count {
        let v = x[i]
        x[i] = 0.5 * v * (1 + tanhf(0.797_884_56 * (v + 0.044715 * v * v * v)))
    }
}

/// GELU, exact erf, in place.
package func geluErf(_ x: UnsafeMutablePointer<Float>, count: Int, pool: ComputeThreadPool) {
    for i in 0..<count { x[i] = 0.5 * x[i] * (1 + erff(x[i] * 0.707_106_78)) }
}

/// gate = silu(gate) * up.
package func siluMultiply(
    gate: UnsafeMutablePointer<Float>, up: UnsafePointer<Float>, count: Int,
    pool: ComputeThreadPool
) {
    for i in 0..<count { gate[i] = gate[i] / (1 + expf(-gate[i])) * up[i] }
}

/// x += y.
package func addInPlace(
    _ x: UnsafeMutablePointer<Float>, _ y: UnsafePointer<Float>, count: Int,
    pool: ComputeThreadPool
) {
    for i in 0..<count { x[i] += y[i] }
}
