/// y = x · weight / √(mean(x²) + ε), per row (Zhang and Sennrich 2019; Qwen2RMSNorm in modeling_qwen2.py).
///
/// x and y are [rows, columns] and may be the same memory; weight [columns]. Sums have a fixed order.
package func rmsNorm(
    _ x: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    weight: UnsafePointer<Float>,
    epsilon: Float,
    into y: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    forEachRowBlock(rows: rows, columns: columns, pool: pool) { row in
        let x = x + row * columns
        let y = y + row * columns
        let squares = laneSum(x, count: columns) { $0 * $0 }
        let scale = 1 / (squares / Float(columns) + epsilon).squareRoot()
        var column = 0
        while column + 8 <= columns {
            store8(load8(weight + column) * (load8(x + column) * scale), into: y + column)
            column += 8
        }
        while column < columns {
            y[column] = weight[column] * (x[column] * scale)
            column += 1
        }
    }
}

/// y = (x - mean) / √(variance + ε) · weight + bias, per row (Ba, Kiros and Hinton 2016).
///
/// x and y are [rows, columns] and may be the same memory; weight and bias [columns]. The variance is
/// taken over the differences from the mean, in a second pass; sums have a fixed order.
package func layerNorm(
    _ x: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>,
    epsilon: Float,
    into y: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    forEachRowBlock(rows: rows, columns: columns, pool: pool) { row in
        let x = x + row * columns
        let y = y + row * columns
        let mean = laneSum(x, count: columns) { $0 } / Float(columns)
        let squares = laneSum(x, count: columns) { ($0 - mean) * ($0 - mean) }
        let scale = 1 / (squares / Float(columns) + epsilon).squareRoot()
        var column = 0
        while column + 8 <= columns {
            let normal = (load8(x + column) - mean) * scale
            store8(
                load8(bias + column).addingProduct(normal, load8(weight + column)),
                into: y + column
            )
            column += 8
        }
        while column < columns {
            let normal = (x[column] - mean) * scale
            y[column] = bias[column].addingProduct(normal, weight[column])
            column += 1
        }
    }
}

/// Calls `body` once per row; a task has rows for some 16 Ki numbers.
@inline(__always)
private func forEachRowBlock(
    rows: Int,
    columns: Int,
    pool: ComputeThreadPool,
    _ body: (_ row: Int) -> Void
) {
    guard rows > 0 else { return }
    let size = max(1, (16 << 10) / max(columns, 1))
    pool.run(count: (rows + size - 1) / size) { block, _ in
        for row in (block * size)..<min((block + 1) * size, rows) { body(row) }
    }
}

/// Σ term(x): 16 chains, one for each index modulo 16, then the halves, then `sum()`; a tail shorter
/// than 16 is added up on its own.
@inline(__always)
private func laneSum(
    _ x: UnsafePointer<Float>,
    count: Int,
    _ term: (SIMD8<Float>) -> SIMD8<Float>
) -> Float {
    var even = SIMD8<Float>.zero
    var odd = SIMD8<Float>.zero
    var index = 0
    while index + 16 <= count {
        even += term(load8(x + index))
        odd += term(load8(x + index + 8))
        index += 16
    }
    var sum = (even + odd).sum()
    while index < count {
        sum += term(SIMD8(repeating: x[index]))[0]
        index += 1
    }
    return sum
}
