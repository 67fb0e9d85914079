import TensorKernels

extension PassContext {
    /// y = x for `count` numbers.
    func copy(_ x: GrowingBuffer<Float>, into y: GrowingBuffer<Float>, count: Int) {
        let (source, target) = (x.base, y.base)
        forEachBlock(count: count) { range in
            (target + range.lowerBound).update(
                from: source + range.lowerBound,
                count: range.count
            )
        }
    }

    /// y = 0 for `count` numbers.
    func clear(_ y: UnsafeMutablePointer<Float>, count: Int) {
        forEachBlock(count: count) { range in
            (y + range.lowerBound).update(repeating: 0, count: range.count)
        }
    }

    /// Row i of x times `scales[i]`.
    func scaleRows(
        _ x: UnsafeMutablePointer<Float>,
        by scales: UnsafePointer<Float>,
        rows: Int,
        columns: Int
    ) {
        forEachRow(rows: rows, columns: columns) { row in
            let line = x + row * columns
            let scale = scales[row]
            for column in 0..<columns { line[column] *= scale }
        }
    }

    /// Row i of y = Σ weights[t] · x[sources[t]] over t in starts[i] ..< starts[i + 1]; a row without
    /// sources is left as it is, or cleared when `clears`.
    func blend(
        _ x: UnsafePointer<Float>,
        starts: GrowingBuffer<Int32>,
        sources: GrowingBuffer<Int32>,
        weights: GrowingBuffer<Float>,
        rows: Int,
        columns: Int,
        clears: Bool,
        into y: UnsafeMutablePointer<Float>
    ) {
        let (starts, sources, weights) = (starts.base, sources.base, weights.base)
        forEachRow(rows: rows, columns: columns) { row in
            let line = y + row * columns
            let range = Int(starts[row])..<Int(starts[row + 1])
            if range.isEmpty {
                if clears { line.update(repeating: 0, count: columns) }
                return
            }
            for tap in range {
                let source = x + Int(sources[tap]) * columns
                let weight = weights[tap]
                if tap == range.lowerBound {
                    for column in 0..<columns { line[column] = weight * source[column] }
                } else {
                    for column in 0..<columns { line[column] += weight * source[column] }
                }
            }
        }
    }

    /// Calls `body` once for each row; a task has rows for some 16 Ki numbers.
    @inline(__always)
    func forEachRow(rows: Int, columns: Int, _ body: (_ row: Int) -> Void) {
        guard rows > 0 else { return }
        let size = max(1, (16 << 10) / max(columns, 1))
        pool.run(count: (rows + size - 1) / size) { block, _ in
            for row in (block * size)..<min((block + 1) * size, rows) { body(row) }
        }
    }

    @inline(__always)
    private func forEachBlock(count: Int, _ body: (Range<Int>) -> Void) {
        guard count > 0 else { return }
        let size = 64 << 10
        pool.run(count: (count + size - 1) / size) { block, _ in
            body((block * size)..<min((block + 1) * size, count))
        }
    }
}
