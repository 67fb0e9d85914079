/// A picture, or the frames of a video, cut and resized for the vision tower, still 8 bits per
/// sample.
package struct ProcessedImage: Sendable {
    /// Square tiles of one size; tile 0 shows the whole picture, the others the grid, row by row.
    /// Of a video, one tile for each frame.
    package let tiles: [RGBImage]
    /// Rows of tiles in the grid after tile 0; 0 when there is no grid.
    package let gridRows: Int
    /// Columns of tiles in the grid after tile 0; 0 when there is no grid.
    package let gridColumns: Int
    /// Size of the picture before any resizing, in pixels.
    package let originalWidth: Int
    package let originalHeight: Int
    /// Value of every byte per channel, `[3 · 256]`.
    private let levels: [Float]

    init(
        tiles: [RGBImage],
        gridRows: Int,
        gridColumns: Int,
        original: RGBImage,
        levels: [Float]
    ) {
        precondition(levels.count == 3 * 256)
        self.tiles = tiles
        self.gridRows = gridRows
        self.gridColumns = gridColumns
        originalWidth = original.width
        originalHeight = original.height
        self.levels = levels
    }

    /// One of the tiles by itself.
    package func tile(_ index: Int) -> ProcessedImage {
        ProcessedImage(
            tiles: [tiles[index]],
            gridRows: 0,
            gridColumns: 0,
            original: tiles[index],
            levels: levels
        )
    }

    /// Pixel values for the vision tower: `[tiles, 3, S, S]`, row-major, normalised per channel.
    package func normalized() -> [Float] {
        guard let first = tiles.first else { return [] }
        let plane = first.width * first.height
        let total = tiles.count * 3 * plane
        return [Float](unsafeUninitializedCapacity: total) { output, initialized in
            levels.withUnsafeBufferPointer { levels in
                for (index, tile) in tiles.enumerated() {
                    precondition(tile.width * tile.height == plane)
                    tile.pixels.withUnsafeBufferPointer { pixels in
                        for channel in 0..<3 {
                            let target = (index * 3 + channel) * plane
                            for position in 0..<plane {
                                let level = Int(pixels[position * 3 + channel])
                                output[target + position] = levels[channel * 256 + level]
                            }
                        }
                    }
                }
            }
            initialized = total
        }
    }
}
