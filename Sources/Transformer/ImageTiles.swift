/// The tiles of one image or video, normalised and ready for the vision encoder.
package struct ImageTiles: Sendable {
    /// How the features of the tiles become rows of the prompt.
    package enum Packing: Sendable, Hashable {
        /// Tile 0 is the whole image, the others a `gridRows × gridColumns` grid of it, row-major.
        case anyres(gridRows: Int, gridColumns: Int, originalWidth: Int, originalHeight: Int)
        /// One tile followed by `image_newline` (an image padded to a square).
        case singleTile
        /// One tile and nothing else (a video frame of the original LLaVA code).
        case frame
        /// One tile for each of `count` frames of a video, pooled to a quarter of their patches, with
        /// one `image_newline` after the last.
        case pooledFrames(count: Int)
    }

    /// Number of tiles, T.
    package let tileCount: Int
    /// [T, 3, S, S], normalised.
    package let pixels: [Float]
    /// How the tiles were cut.
    package let packing: Packing

    /// Wraps tiles.
    ///
    /// - Precondition: an anyres packing has `1 + gridRows · gridColumns` tiles, pooled frames have as
    ///   many as frames, the others have one, and `pixels` holds the same number of floats for each.
    package init(tileCount: Int, pixels: [Float], packing: Packing) {
        switch packing {
        case .anyres(let gridRows, let gridColumns, _, _):
            precondition(tileCount == 1 + gridRows * gridColumns, "tile 0 plus the grid")
        case .singleTile, .frame:
            precondition(tileCount == 1, "one tile")
        case .pooledFrames(let count):
            precondition(count > 0 && tileCount == count, "a tile for each frame")
        }
        precondition(pixels.count.isMultiple(of: tileCount), "tiles of one size")
        self.tileCount = tileCount
        self.pixels = pixels
        self.packing = packing
    }
}
