import Transformer

/// Which feature rows of the tiles each row of a packed picture is made of.
///
/// Packing is linear: a row is one feature row, a blend of up to four, or `image_newline`. Listing it
/// once gives the forward pass and its transpose.
struct FeatureRows {
    /// A share of a feature row.
    struct Tap: Equatable {
        /// Row of the features of all tiles of the batch.
        let row: Int32
        let weight: Float
    }

    /// How the tiles of a model are packed.
    let packing: ImagePacking

    /// Calls `body` for every prompt row of `image` in order; no taps mean `image_newline`.
    func forEachRow(of image: BatchImage, _ body: (_ taps: [Tap]) -> Void) {
        switch image.packing {
        case .frame:
            wholeTile(image.tiles[0], body)
        case .singleTile:
            wholeTile(image.tiles[0], body)
            body([])
        case .pooledFrames:
            let window = PackingWindow(frameOf: packing)
            for tile in image.tiles {
                for row in 0..<window.outputRows {
                    line(row, of: window, tiles: [tile], tileColumns: 1, body)
                }
            }
            body([])
        case .anyres(let gridRows, let gridColumns, let width, let height):
            wholeTile(image.tiles[0], body)
            let window = PackingWindow(
                packing,
                gridRows: gridRows,
                gridColumns: gridColumns,
                width: width,
                height: height
            )
            let grid = Array(image.tiles.dropFirst())
            for row in 0..<window.outputRows {
                line(row, of: window, tiles: grid, tileColumns: gridColumns, body)
                body([])
            }
        }
    }

    private func wholeTile(_ tile: Int, _ body: ([Tap]) -> Void) {
        let count = packing.gridSide * packing.gridSide
        for patch in 0..<count { body([Tap(row: Int32(tile * count + patch), weight: 1)]) }
    }

    /// One row of a window over the patches of `tiles`, `tileColumns` side by side.
    private func line(
        _ row: Int,
        of window: PackingWindow,
        tiles: [Int],
        tileColumns: Int,
        _ body: ([Tap]) -> Void
    ) {
        let side = packing.gridSide
        let patch = { (row: Int, column: Int) -> Int32 in
            let tile = tiles[(row / side) * tileColumns + column / side]
            return Int32((tile * side + row % side) * side + column % side)
        }
        let vertical = ResizeTap(row, from: window.rows.count, to: window.outputRows)
        let upper = window.rows.lowerBound + vertical.first
        let lower = window.rows.lowerBound + vertical.second
        for column in 0..<window.outputColumns {
            let horizontal = ResizeTap(
                column,
                from: window.columns.count,
                to: window.outputColumns
            )
            let left = window.columns.lowerBound + horizontal.first
            let right = window.columns.lowerBound + horizontal.second
            let (down, east) = (vertical.weight, horizontal.weight)
            let taps = [
                Tap(row: patch(upper, left), weight: (1 - down) * (1 - east)),
                Tap(row: patch(upper, right), weight: (1 - down) * east),
                Tap(row: patch(lower, left), weight: down * (1 - east)),
                Tap(row: patch(lower, right), weight: down * east),
            ]
            body(taps.filter { $0.weight != 0 })
        }
    }
}
