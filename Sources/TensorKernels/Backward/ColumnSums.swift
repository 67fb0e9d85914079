/// y += bias in every row; y [rows, columns], bias [columns].
package func addRowVector(
    _ bias: UnsafePointer<Float>,
    to y: UnsafeMutablePointer<Float>,
    rows: Int,
    columns: Int,
    pool: ComputeThreadPool
) {
    forEachRow(rows: rows, columns: columns, pool: pool) { row in
        let y = y + row * columns
        forEachLaneGroup(in: 0..<columns) { column, lanes in
            store8(
                load8(y + column, lanes: lanes) + load8(bias + column, lanes: lanes),
                into: y + column,
                lanes: lanes
            )
        }
    }
}

/// dBias += Σ rows of dy [rows, columns]: the gradient of a bias. Each column is one chain, rows
/// ascending, started from dBias.
package func addColumnSums(
    of dy: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    to dBias: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    addToColumns(rows: rows, columns: columns, sums: dBias, pool: pool) { sum, row, column, lanes in
        sum += load8(dy + row * columns + column, lanes: lanes)
    }
}

/// table[indices[r]] += dy[r]: the gradient of an embedding. Rows ascending, so a table row that occurs
/// several times has its gradients added in that order.
///
/// - Parameters:
///   - dy: [rows, columns].
///   - indices: one table row for each row of dy; negative ones are skipped.
package func scatterAddRows(
    _ dy: UnsafePointer<Float>,
    rows: Int,
    columns: Int,
    indices: UnsafePointer<Int32>,
    to table: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool
) {
    // A task owns columns instead of rows: two rows may share a table row.
    forEachColumnBlock(columns: columns, pool: pool) { block in
        for row in 0..<rows where indices[row] >= 0 {
            let target = table + Int(indices[row]) * columns
            let source = dy + row * columns
            forEachLaneGroup(in: block) { column, lanes in
                store8(
                    load8(target + column, lanes: lanes) + load8(source + column, lanes: lanes),
                    into: target + column,
                    lanes: lanes
                )
            }
        }
    }
}

/// sums[c] = the chain of `add` over all rows of column c, ascending, started from sums[c].
@inline(__always)
func addToColumns(
    rows: Int,
    columns: Int,
    sums: UnsafeMutablePointer<Float>,
    pool: ComputeThreadPool,
    _ add: (_ sum: inout SIMD8<Float>, _ row: Int, _ column: Int, _ lanes: Int) -> Void
) {
    forEachColumnBlock(columns: columns, pool: pool) { block in
        // Four groups at a time: as many chains as hide the latency of an addition.
        var column = block.lowerBound
        while column + 32 <= block.upperBound {
            var (a, b) = (load8(sums + column), load8(sums + column + 8))
            var (c, d) = (load8(sums + column + 16), load8(sums + column + 24))
            for row in 0..<rows {
                add(&a, row, column, 8)
                add(&b, row, column + 8, 8)
                add(&c, row, column + 16, 8)
                add(&d, row, column + 24, 8)
            }
            store8(a, into: sums + column)
            store8(b, into: sums + column + 8)
            store8(c, into: sums + column + 16)
            store8(d, into: sums + column + 24)
            column += 32
        }
        forEachLaneGroup(in: column..<block.upperBound) { column, lanes in
            var sum = load8(sums + column, lanes: lanes)
            for row in 0..<rows { add(&sum, row, column, lanes) }
            store8(sum, into: sums + column, lanes: lanes)
        }
    }
}

/// Calls `body` with blocks of 32 columns, two lines of memory; the last may be shorter.
@inline(__always)
private func forEachColumnBlock(
    columns: Int,
    pool: ComputeThreadPool,
    _ body: (_ block: Range<Int>) -> Void
) {
    guard columns > 0 else { return }
    pool.run(count: (columns + 31) / 32) { block, _ in
        body((block * 32)..<min((block + 1) * 32, columns))
    }
}
