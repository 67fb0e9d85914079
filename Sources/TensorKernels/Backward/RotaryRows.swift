/// Rotates queries or keys in place, each row by its own position, in the layout of `applyRotary`.
///
/// - Parameters:
///   - x: [rows, heads · headDimension].
///   - positions: one for each row, 0 ≤ position < table.positions.
///   - inverse: turn back: the transpose of the rotation, which takes gradients of rotated numbers to
///     gradients of the numbers before.
package func rotateRows(
    _ x: UnsafeMutablePointer<Float>,
    rows: Int,
    heads: Int,
    table: RotaryTable,
    positions: UnsafePointer<Int32>,
    inverse: Bool,
    pool: ComputeThreadPool
) {
    guard rows > 0 else { return }
    let dimension = table.headDimension
    let half = dimension / 2
    var highest: Int32 = 0
    for row in 0..<rows {
        precondition(positions[row] >= 0, "rotateRows: negative position \(positions[row])")
        highest = max(highest, positions[row])
    }
    // A row of ones and zeros turned by the angles of a position holds its cosines and its sines.
    let count = Int(highest) + 1
    let angles = UnsafeMutablePointer<Float>.allocate(capacity: count * dimension)
    defer { angles.deallocate() }
    for position in 0..<count {
        (angles + position * dimension).initialize(repeating: 1, count: half)
        (angles + position * dimension + half).initialize(repeating: 0, count: half)
    }
    applyRotary(angles, rows: count, heads: 1, table: table, firstPosition: 0, pool: pool)
    let sign: Float = inverse ? -1 : 1
    forEachRow(rows: rows, columns: heads * dimension, pool: pool) { row in
        let angles = angles + Int(positions[row]) * dimension
        for head in 0..<heads {
            let a = x + (row * heads + head) * dimension
            let b = a + half
            forEachLaneGroup(in: 0..<half) { index, lanes in
                let c = load8(angles + index, lanes: lanes)
                let s = load8(angles + half + index, lanes: lanes) * sign
                let first = load8(a + index, lanes: lanes)
                let second = load8(b + index, lanes: lanes)
                store8(first * c - second * s, into: a + index, lanes: lanes)
                store8(second * c + first * s, into: b + index, lanes: lanes)
            }
        }
    }
}
