/// The learned positions of Qwen3-VL: a square table, read between its points for other grids.
///
/// Bilinear with aligned corners, all in single precision (`modeling_qwen3_vl.py:
/// fast_pos_embed_interpolate`).
struct PositionTable: Sendable {
    let side: Int
    let hidden: Int
    /// [side, side, hidden], widened once.
    let values: [Float]

    /// Reads `vision.pos_embed.weight`.
    init(reader: WeightReader, side: Int, hidden: Int) throws(CheckpointError) {
        self.side = side
        self.hidden = hidden
        let table = try reader.table(
            "vision.pos_embed.weight",
            rows: side * side,
            columns: hidden
        )
        values = [Float](unsafeUninitializedCapacity: side * side * hidden) { rows, count in
            if let base = rows.baseAddress {
                for index in 0..<side * side { table.row(index, into: base + index * hidden) }
            }
            count = side * side * hidden
        }
    }

    /// Adds the position of patch (`line`, `column`) of a grid to its row, [hidden].
    func add(
        line: Int,
        of lines: Int,
        column: Int,
        of columns: Int,
        to row: UnsafeMutablePointer<Float>
    ) {
        let down = AlignedTap(line, of: lines, in: side)
        let across = AlignedTap(column, of: columns, in: side)
        let weights = [
            (1 - down.weight) * (1 - across.weight), (1 - down.weight) * across.weight,
            down.weight * (1 - across.weight), down.weight * across.weight,
        ]
        let starts = [
            (down.first * side + across.first) * hidden,
            (down.first * side + across.second) * hidden,
            (down.second * side + across.first) * hidden,
            (down.second * side + across.second) * hidden,
        ]
        values.withUnsafeBufferPointer { values in
            for index in 0..<hidden {
                let above =
                    values[starts[0] + index] * weights[0] + values[starts[1] + index] * weights[1]
                let below =
                    values[starts[2] + index] * weights[2] + values[starts[3] + index] * weights[3]
                row[index] += above + below
            }
        }
    }
}

/// Two neighbouring points of the table for one index of a grid, and the weight of the second.
struct AlignedTap: Equatable {
    let first: Int
    let second: Int
    let weight: Float

    /// Where index `index` of `count` reads `side` points, the first and last on the table's own.
    init(_ index: Int, of count: Int, in side: Int) {
        let place = Float(index) * Float(side - 1) / Float(max(count - 1, 1))
        first = min(Int(place), side - 1)
        second = min(first + 1, side - 1)
        weight = place - Float(first)
    }
}
