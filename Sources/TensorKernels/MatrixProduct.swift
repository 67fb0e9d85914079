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
package func matrixProduct(
    _ x: UnsafePointer<Float>,
    rows: Int,
    by weight: PackedMatrix,
    bias: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    guard rows > 0 else { return }
    switch weight.type {
    case .float32:
        matrixProduct(Float32Lanes.self, x, rows: rows, by: weight, bias: bias, into: y, pool: pool)
    case .bfloat16:
        matrixProduct(
            BFloat16Lanes.self,
            x,
            rows: rows,
            by: weight,
            bias: bias,
            into: y,
            pool: pool
        )
    case .float16:
        matrixProduct(Float16Lanes.self, x, rows: rows, by: weight, bias: bias, into: y, pool: pool)
    case .int8, .int4:
        DotProduct(x: x, rows: rows, weight: weight, bias: bias, y: y).run(on: pool)
    }
}

@inline(__always)
private func matrixProduct<Lanes: PanelLanes>(
    _ lanes: Lanes.Type,
    _ x: UnsafePointer<Float>,
    rows: Int,
    by weight: PackedMatrix,
    bias: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    if rows <= FewRowsProduct<Lanes>.rowLimit {
        FewRowsProduct<Lanes>(x: x, rows: rows, weight: weight, bias: bias, y: y).run(on: pool)
    } else {
        ManyRowsProduct<Lanes>(x: x, rows: rows, weight: weight, bias: bias, y: y).run(on: pool)
    }
}
