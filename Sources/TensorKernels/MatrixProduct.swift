/// y = x·Wᵀ + bias for x [rows, inputs] and W [outputs, inputs]; y [rows, outputs] must not overlap x.
///
/// Every element of y is one chain of fused multiply-adds over k = 0 … inputs-1 starting from 0, with
/// the bias added last. Blocking, number of rows, number of threads, the `KernelSet` and the way the work
/// is handed out change only which chains run side by side, so they never change a bit of the result.
/// A partial sum
/// kept in y between two blocks of k is an f32 like the register it came from.
///
/// With quantised weights an element is a chain over blocks of inputs instead (`DotProduct.swift`), and as
/// independent of everything else.
///
/// Few rows stream the weights once (`FewRowsProduct.swift`); many rows are blocked for the caches
/// (`ManyRowsProduct.swift`).
///
/// - Parameters:
///   - bias: outputs numbers, or nil.
///   - finish: done with each element at the end.
package func matrixProduct(
    _ x: UnsafePointer<Float>,
    rows: Int,
    by weight: PackedMatrix,
    bias: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>,
    finish: ProductFinish = .none,
    pool: ComputeThreadPool
) {
    precondition(finish != .gate, "matrixProduct: a gate has two matrices")
    multiply(x, rows, ProductTarget(weight, bias: bias, into: y), nil, nil, finish, pool)
}

/// The products of the same rows by two or three matrices with as many inputs, each with the bits of
/// `matrixProduct`: rows are prepared once, and the work is handed out as that of one matrix.
package func matrixProducts(
    _ x: UnsafePointer<Float>,
    rows: Int,
    _ first: ProductTarget,
    _ second: ProductTarget,
    _ third: ProductTarget? = nil,
    pool: ComputeThreadPool
) {
    multiply(x, rows, first, second, third, .none, pool)
}

/// gate.y = silu(x·gateᵀ) · (x·upᵀ), the bits of two products and `siluMultiply`; up.y is left with x·upᵀ. Both
/// have as many outputs.
package func gatedProduct(
    _ x: UnsafePointer<Float>,
    rows: Int,
    gate: ProductTarget,
    up: ProductTarget,
    pool: ComputeThreadPool
) {
    precondition(gate.weight.outputs == up.weight.outputs, "gatedProduct: as many outputs")
    multiply(x, rows, gate, up, nil, .gate, pool)
}

private func multiply(
    _ x: UnsafePointer<Float>,
    _ rows: Int,
    _ first: ProductTarget,
    _ second: ProductTarget?,
    _ third: ProductTarget?,
    _ finish: ProductFinish,
    _ pool: ComputeThreadPool
) {
    guard rows > 0 else { return }
    let targets = ProductTargets(first: first, second: second, third: third, finish: finish)
    guard targets.areAlike else {
        // A checkpoint may store one matrix otherwise than the next.
        for target in [first, second, third] {
            guard let target else { continue }
            multiply(x, rows, target, nil, nil, finish == .gate ? .none : finish, pool)
        }
        if finish == .gate, let second {
            let count = rows * first.weight.outputs
            siluMultiply(gate: first.y, up: second.y, count: count, pool: pool)
        }
        return
    }
    switch targets.type {
    case .float32: multiply(Float32Lanes.self, x, rows, targets, pool)
    case .bfloat16: multiply(BFloat16Lanes.self, x, rows, targets, pool)
    case .float16: multiply(Float16Lanes.self, x, rows, targets, pool)
    case .int8, .int4: DotProduct(x: x, rows: rows, targets: targets).run(on: pool)
    }
}

@inline(__always)
private func multiply<Lanes: PanelLanes>(
    _ lanes: Lanes.Type,
    _ x: UnsafePointer<Float>,
    _ rows: Int,
    _ targets: ProductTargets,
    _ pool: ComputeThreadPool
) {
    if rows <= FewRowsProduct<Lanes>.rowLimit {
        FewRowsProduct<Lanes>(x: x, rows: rows, targets: targets).run(on: pool)
    } else {
        ManyRowsProduct<Lanes>(x: x, rows: rows, targets: targets).run(on: pool)
    }
}
