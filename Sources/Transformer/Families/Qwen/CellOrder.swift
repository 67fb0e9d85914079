/// In which order a tower works on the cells of a picture, and which of them see each other.
///
/// A cell is 2 × 2 patches and becomes one row of the prompt; its four patches stay together. Cells are
/// numbered line by line (`modeling_qwen2_5_vl.py: get_window_index`).
struct CellOrder: Sendable, Equatable {
    /// Patches in a cell.
    static let patches = QwenVisionConfig.mergeSize * QwenVisionConfig.mergeSize

    /// Place in the order of work → number of the cell.
    let cells: [Int]
    /// The rows (patches) of each window, in the order of work; they cover all rows.
    let windows: [Range<Int>]

    /// All cells line by line, one window: Qwen3-VL.
    init(rows: Int, columns: Int) {
        cells = Array(0..<rows * columns)
        windows = [0..<rows * columns * Self.patches]
    }

    /// Windows of `side` × `side` cells, line by line; those at the right and bottom edge may be smaller.
    init(rows: Int, columns: Int, windowSide side: Int) {
        precondition(side > 0)
        var cells: [Int] = []
        var windows: [Range<Int>] = []
        cells.reserveCapacity(rows * columns)
        for top in stride(from: 0, to: rows, by: side) {
            for left in stride(from: 0, to: columns, by: side) {
                let start = cells.count
                for row in top..<min(top + side, rows) {
                    for column in left..<min(left + side, columns) {
                        cells.append(row * columns + column)
                    }
                }
                windows.append(start * Self.patches..<cells.count * Self.patches)
            }
        }
        self.cells = cells
        self.windows = windows
    }

    /// The patch at place `row` of the order of work: its line and column among `columns` cells across.
    func patch(atRow row: Int, columns: Int) -> (line: Int, column: Int) {
        let (place, inside) = row.quotientAndRemainder(dividingBy: Self.patches)
        let (line, column) = cells[place].quotientAndRemainder(dividingBy: columns)
        let side = QwenVisionConfig.mergeSize
        return (side * line + inside / side, side * column + inside % side)
    }
}
