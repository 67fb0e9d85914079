/// y = GELU(x) in the tanh form, the bits of `geluTanh`, with x kept for the gradient; y may be x.
package func geluTanhForward(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    copy(x, into: y, count: count)
    geluTanh(y, count: count, pool: pool)
}

/// dx = dy · GELU'(x) in the tanh form. With u = √(2/π)·(x + 0.044715·x³) and s = 1 / (1 + e^(-2u))
/// the value is x·s and its derivative s + 2·x·s·(1 - s)·u'. dx may be x or dy.
package func geluTanhBackward(
    _ x: UnsafePointer<Float>,
    dy: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    forEachLaneGroup(count: count, pool: pool) { index, lanes in
        let value = load8(x + index, lanes: lanes)
        let square = value * value
        let u = (value + value * square * 0.044_715) * 0.797_884_56
        let s = 1 / (exponential(u * -2) + 1)
        let slope = (square * 0.134_145 + 1) * 0.797_884_56
        let derivative = s + value * s * (1 - s) * slope * 2
        store8(load8(dy + index, lanes: lanes) * derivative, into: dx + index, lanes: lanes)
    }
}

/// y = GELU(x) in the exact form, the bits of `geluErf`, with x kept for the gradient; y may be x.
package func geluErfForward(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    copy(x, into: y, count: count)
    geluErf(y, count: count, pool: pool)
}

/// dx = dy · GELU'(x) in the exact form: the derivative is Φ(x) + x·φ(x), the distribution and density of
/// the normal law. Φ(x) is GELU(x) / x. dx must overlap neither x nor dy.
package func geluErfBackward(
    _ x: UnsafePointer<Float>,
    dy: UnsafePointer<Float>,
    into dx: UnsafeMutablePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    geluErfForward(x, into: dx, count: count, pool: pool)
    forEachLaneGroup(count: count, pool: pool) { index, lanes in
        let value = load8(x + index, lanes: lanes)
        var distribution = load8(dx + index, lanes: lanes) / value
        // 0 / 0, and quotients of subnormal numbers.
        distribution.replace(with: 0.5, where: value * value .< 1e-30)
        let density = exponential(value * value * -0.5) * 0.398_942_28
        let derivative = distribution.addingProduct(value, density)
        store8(load8(dy + index, lanes: lanes) * derivative, into: dx + index, lanes: lanes)
    }
}

/// y = silu(gate) · up, the bits of `siluMultiply`, with gate kept for the gradient; y may be gate.
package func siluMultiplyForward(
    gate: UnsafePointer<Float>,
    up: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    forEachLaneGroup(count: count, pool: pool) { index, lanes in
        let value = load8(gate + index, lanes: lanes)
        let product = value / (exponential(-value) + 1) * load8(up + index, lanes: lanes)
        store8(product, into: y + index, lanes: lanes)
    }
}

/// The gradient of `siluMultiplyForward`. With s = 1 / (1 + e^-gate): dUp = dy · gate · s and
/// dGate = dy · up · s · (1 + gate · (1 - s)). dGate may be gate and dUp may be up; either may be dy.
package func siluMultiplyBackward(
    gate: UnsafePointer<Float>,
    up: UnsafePointer<Float>,
    dy: UnsafePointer<Float>,
    into dGate: UnsafeMutablePointer<Float>,
    dUp: UnsafeMutablePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) {
    forEachLaneGroup(count: count, pool: pool) { index, lanes in
        let value = load8(gate + index, lanes: lanes)
        let gradient = load8(dy + index, lanes: lanes)
        let s = 1 / (exponential(-value) + 1)
        let slope = s * (value * (1 - s) + 1)
        let change = gradient * load8(up + index, lanes: lanes) * slope
        store8(gradient * (value * s), into: dUp + index, lanes: lanes)
        store8(change, into: dGate + index, lanes: lanes)
    }
}

/// The kernels in place take a copy; one thread copies as fast as memory allows.
private func copy(
    _ x: UnsafePointer<Float>,
    into y: UnsafeMutablePointer<Float>,
    count: Int
) {
    if count > 0, UnsafePointer(y) != x { y.update(from: x, count: count) }
}
