import TensorKernels

/// The rows a decoder layer works on: how many, where they stand, and who sees whom.
struct DecoderRows {
    let count: Int
    let shape: AttentionShape
    let table: RotaryTable
    let positions: GrowingBuffer<Int32>  // [count]

    /// Turns `heads` heads of every row by the angles of its position, in place, or back.
    func rotate(
        _ x: GrowingBuffer<Float>,
        heads: Int,
        inverse: Bool,
        _ pool: ComputeThreadPool
    ) {
        rotateRows(
            x.base,
            rows: count,
            heads: heads,
            table: table,
            positions: positions.base,
            inverse: inverse,
            pool: pool
        )
    }
}

/// Some of the rows of a buffer, each at most once.
struct RowSubset {
    let indices: GrowingBuffer<Int32>  // [count], ascending
    let count: Int
}

extension PassContext {
    /// Row i of y is row `subset.indices[i]` of x.
    func gather(
        _ x: GrowingBuffer<Float>,
        _ subset: RowSubset,
        columns: Int,
        into y: GrowingBuffer<Float>
    ) {
        let (source, target, indices) = (x.base, y.base, subset.indices.base)
        forEachRow(rows: subset.count, columns: columns) { row in
            (target + row * columns).update(
                from: source + Int(indices[row]) * columns,
                count: columns
            )
        }
    }

    /// Row `subset.indices[i]` of y is row i of x; the other rows stay as they are.
    func scatter(
        _ x: GrowingBuffer<Float>,
        _ subset: RowSubset,
        columns: Int,
        into y: GrowingBuffer<Float>
    ) {
        let (source, target, indices) = (x.base, y.base, subset.indices.base)
        forEachRow(rows: subset.count, columns: columns) { row in
            (target + Int(indices[row]) * columns).update(
                from: source + row * columns,
                count: columns
            )
        }
    }

    /// Row `subset.indices[i]` of y += row i of x.
    func scatterAdd(
        _ x: GrowingBuffer<Float>,
        _ subset: RowSubset,
        columns: Int,
        to y: GrowingBuffer<Float>
    ) {
        let (source, target, indices) = (x.base, y.base, subset.indices.base)
        forEachRow(rows: subset.count, columns: columns) { row in
            let line = target + Int(indices[row]) * columns
            let added = source + row * columns
            for column in 0..<columns { line[column] += added[column] }
        }
    }
}
