/// `layerNorm` that keeps what its gradient needs: y = (x - mean) · r · weight + bias with
/// r = 1 / √(variance + ε).
///
/// - Parameters:
///   - x: [rows, columns], as y.
///   - weight: [columns], as bias.
///   - mean: [rows], receives the mean of each row.
///   - inverseDeviation: [rows], receives r.
package func layerNormForward(
    _ x: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    weight: UnsafePointer<Float>,
    bias: UnsafePointer<Float>,
    epsilon: Float,
    into y: UnsafeMutablePointer<Float>,
    mean: UnsafeMutablePointer<Float>,
    inverseDeviation: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    forEachRow(rows: rows, columns: columns, pool: pool) { row in
        let x = x + row * columns
        let y = y + row * columns
        let center =
            laneGroupSum(count: columns) { load8(x + $0, lanes: $1) } / Float(columns)
        let squares = laneGroupSum(count: columns) { index, lanes in
            var difference = load8(x + index, lanes: lanes) - center
            for lane in lanes..<8 { difference[lane] = 0 }
            return difference * difference
        }
        let scale = 1 / (squares / Float(columns) + epsilon).squareRoot()
        mean[row] = center
        inverseDeviation[row] = scale
        forEachLaneGroup(in: 0..<columns) { column, lanes in
            let normal = (load8(x + column, lanes: lanes) - center) * scale
            let weight = load8(weight + column, lanes: lanes)
            let sum = load8(bias + column, lanes: lanes).addingProduct(normal, weight)
            store8(sum, into: y + column, lanes: lanes)
        }
    }
}

/// The gradient of `layerNormForward`. With g = dy · weight and n = (x - mean) · r:
/// dx += r · (g - mean(g) - n · mean(g · n)), dWeight += Σ rows of dy · n, dBias += Σ rows of dy.
///
/// - Parameters:
///   - x: [rows, columns], as dy and dx; dx must not overlap them.
///   - mean: [rows], as inverseDeviation; both as the forward kernel left them.
///   - weight: [columns], as dWeight and dBias.
package func layerNormBackward(
    _ x: UnsafePointer<Float>,
    dy: UnsafePointer<Float>,
    mean: UnsafePointer<Float>,
    inverseDeviation: UnsafePointer<Float>,
    weight: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    addingTo dx: UnsafeMutablePointer<Float>,
    dWeight: UnsafeMutablePointer<Float>,
    dBias: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    forEachRow(rows: rows, columns: columns, pool: pool) { row in
        let x = x + row * columns
        let dy = dy + row * columns
        let dx = dx + row * columns
        let (center, scale) = (mean[row], inverseDeviation[row])
        let sum = laneGroupSum(count: columns) { index, lanes in
            load8(dy + index, lanes: lanes) * load8(weight + index, lanes: lanes)
        }
        let product = laneGroupSum(count: columns) { index, lanes in
            load8(dy + index, lanes: lanes) * load8(weight + index, lanes: lanes)
                * ((load8(x + index, lanes: lanes) - center) * scale)
        }
        let meanGradient = sum / Float(columns)
        let meanProduct = product / Float(columns)
        forEachLaneGroup(in: 0..<columns) { column, lanes in
            let g = load8(dy + column, lanes: lanes) * load8(weight + column, lanes: lanes)
            let normal = (load8(x + column, lanes: lanes) - center) * scale
            let change = (g - meanGradient - normal * meanProduct) * scale
            store8(load8(dx + column, lanes: lanes) + change, into: dx + column, lanes: lanes)
        }
    }
    addToColumns(rows: rows, columns: columns, sums: dWeight, pool: pool) {
        sum,
        row,
        column,
        lanes in
        let difference = load8(x + row * columns + column, lanes: lanes) - mean[row]
        let normal = difference * inverseDeviation[row]
        sum.addProduct(load8(dy + row * columns + column, lanes: lanes), normal)
    }
    addColumnSums(of: dy, rows: rows, columns: columns, to: dBias, pool: pool)
}
