/// The features of a grid of tiles, read as one picture of patches.
///
/// Borrowed memory: [tileRows, tileColumns, g, g, hidden].
struct PatchGrid: @unchecked Sendable {  // reads memory its creator keeps alive and unchanged
    let base: UnsafePointer<Float>
    /// Patches along one side of a tile, g.
    let gridSide: Int
    /// Tiles in one row of the grid.
    let tileColumns: Int
    /// Width of a feature row.
    let hidden: Int

    /// The feature row of patch (`row`, `column`) of the picture.
    func patch(_ row: Int, _ column: Int) -> UnsafePointer<Float> {
        let tile = (row / gridSide) * tileColumns + column / gridSide
        let inside = (row % gridSide) * gridSide + column % gridSide
        return base + (tile * gridSide * gridSide + inside) * hidden
    }

    /// Tile `index`, row-major, as a grid of its own.
    func tile(_ index: Int) -> PatchGrid {
        PatchGrid(
            base: base + index * gridSide * gridSide * hidden,
            gridSide: gridSide,
            tileColumns: 1,
            hidden: hidden
        )
    }

    /// Row `row` of the window resized to its output size, [outputColumns, hidden].
    ///
    /// Bilinear without antialias, corners not aligned: `torch.nn.functional.interpolate`, whose index
    /// arithmetic is one fused multiply-add in single precision; unfused, features move by 3e-6.
    func resizeRow(
        _ row: Int,
        of window: ImagePacking.Window,
        into target: UnsafeMutablePointer<Float>
    ) {
        let vertical = BilinearTap(row, from: window.rows.count, to: window.outputRows)
        let upper = window.rows.lowerBound + vertical.first
        let lower = window.rows.lowerBound + vertical.second
        for column in 0..<window.outputColumns {
            let horizontal = BilinearTap(
                column,
                from: window.columns.count,
                to: window.outputColumns
            )
            let left = window.columns.lowerBound + horizontal.first
            let right = window.columns.lowerBound + horizontal.second
            blend(
                patch(upper, left),
                patch(upper, right),
                patch(lower, left),
                patch(lower, right),
                vertical: vertical,
                horizontal: horizontal,
                into: target + column * hidden
            )
        }
    }

    private func blend(
        _ upperLeft: UnsafePointer<Float>,
        _ upperRight: UnsafePointer<Float>,
        _ lowerLeft: UnsafePointer<Float>,
        _ lowerRight: UnsafePointer<Float>,
        vertical: BilinearTap,
        horizontal: BilinearTap,
        into target: UnsafeMutablePointer<Float>
    ) {
        let (down, right) = (vertical.weight, horizontal.weight)
        let (up, left) = (1 - down, 1 - right)
        for index in 0..<hidden {
            let above = left * upperLeft[index] + right * upperRight[index]
            let below = left * lowerLeft[index] + right * lowerRight[index]
            target[index] = up * above + down * below
        }
    }
}

/// Two neighbouring source indices of one output index, and the weight of the second.
struct BilinearTap: Equatable {
    let first: Int
    let second: Int
    let weight: Float

    /// Where output `index` of `output` reads a source of `input` samples.
    init(_ index: Int, from input: Int, to output: Int) {
        let scale = Float(input) / Float(output)
        let source = max(Float(-0.5).addingProduct(scale, Float(index) + 0.5), 0)
        first = min(Int(source), input - 1)
        second = min(first + 1, input - 1)
        weight = source - Float(first)
    }
}
