/// `rmsNorm` that keeps what its gradient needs: y = x · weight · r with r = 1 / √(mean(x²) + ε).
///
/// - Parameters:
///   - x: [rows, columns], as y.
///   - weight: [columns].
///   - inverseDeviation: [rows], receives r.
package func rmsNormForward(
    _ x: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    weight: UnsafePointer<Float>,
    epsilon: Float,
    into y: UnsafeMutablePointer<Float>,
    inverseDeviation: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    forEachRow(rows: rows, columns: columns, pool: pool) { row in
        let x = x + row * columns
        let y = y + row * columns
        let squares = laneGroupSum(count: columns) { index, lanes in
            let value = load8(x + index, lanes: lanes)
            return value * value
        }
        let scale = 1 / (squares / Float(columns) + epsilon).squareRoot()
        inverseDeviation[row] = scale
        forEachLaneGroup(in: 0..<columns) { column, lanes in
            let normal = load8(x + column, lanes: lanes) * scale
            store8(load8(weight + column, lanes: lanes) * normal, into: y + column, lanes: lanes)
        }
    }
}

/// The gradient of `rmsNormForward`. With g = dy · weight and n = x · r:
/// dx += r · (g - n · mean(g · n)) and dWeight += Σ rows of dy · n, rows ascending.
///
/// - Parameters:
///   - x: [rows, columns], as dy and dx; dx must not overlap them.
///   - inverseDeviation: [rows], as the forward kernel left it.
///   - weight: [columns], as dWeight.
package func rmsNormBackward(
    _ x: UnsafePointer<Float>,
    dy: UnsafePointer<Float>,
    inverseDeviation: UnsafePointer<Float>,
    weight: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    addingTo dx: UnsafeMutablePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    forEachRow(rows: rows, columns: columns, pool: pool) { row in
        let x = x + row * columns
        let dy = dy + row * columns
        let dx = dx + row * columns
        let scale = inverseDeviation[row]
        let product = laneGroupSum(count: columns) { index, lanes in
            load8(dy + index, lanes: lanes) * load8(weight + index, lanes: lanes)
                * load8(x + index, lanes: lanes)
        }
        // mean(g · n) · r, so that x itself can be multiplied by it.
        let mean = product * scale * scale / Float(columns)
        forEachLaneGroup(in: 0..<columns) { column, lanes in
            let g = load8(dy + column, lanes: lanes) * load8(weight + column, lanes: lanes)
            let change = (g - load8(x + column, lanes: lanes) * mean) * scale
            store8(load8(dx + column, lanes: lanes) + change, into: dx + column, lanes: lanes)
        }
    }
    addToColumns(rows: rows, columns: columns, sums: dWeight, pool: pool) {
        sum,
        row,
        column,
        lanes in
        let normal = load8(x + row * columns + column, lanes: lanes) * inverseDeviation[row]
        sum.addProduct(load8(dy + row * columns + column, lanes: lanes), normal)
    }
}
