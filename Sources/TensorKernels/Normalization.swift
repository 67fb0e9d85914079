/// Root-mean-square norm of each row.
package func rmsNorm(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, weight: UnsafePointer<Float>,
    epsilon: Float, into y: UnsafeMutablePointer<Float>, pool: ComputeThreadPool
) {
    for row in 0..<rows {
        let x = x + row * columns
        let y = y + row * columns
        var sum: Float = 0
        for c in 0..<columns { sum += x[c] * x[c] }
        let scale = 1 / (sum / Float(columns) + epsilon).squareRoot()
        for c in 0..<columns { y[c] = weight[c] * (x[c] * scale) }
    }
}

/// Layer norm of each row.
package func layerNorm(
    _ x: UnsafePointer<Float>, rows: Int, columns: Int, weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>, epsilon: Float, into y: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    for row in 0..<rows {
        let x = x + row * columns
        let y = y + row * columns
        var sum: Float = 0
        for c in 0..<columns { sum += x[c] }
        let mean = sum / Float(columns)
        var squares: Float = 0
        for c in 0..<columns { squares += (x[c] - mean) * (x[c] - mean) }
        let scale = 1 / (squares / Float(columns) + epsilon).squareRoot()
        for c in 0..<columns { y[c] = (x[c] - mean) * scale * weight[c] + bias[c] }
    }
}
