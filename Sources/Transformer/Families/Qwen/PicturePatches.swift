/// The patches of one picture, or of two frames of a clip, normalised and ready for a Qwen tower.
package struct PicturePatches: Sendable {
    /// Patches down, even.
    package let rows: Int
    /// Patches across, even.
    package let columns: Int
    /// [rows · columns, channels × 2 frames × P × P]; cell by cell, the four patches of a cell in a row.
    package let pixels: [Float]

    /// Wraps patches.
    package init(rows: Int, columns: Int, pixels: [Float]) {
        precondition(rows > 0 && columns > 0 && rows % 2 == 0 && columns % 2 == 0, "whole cells")
        precondition(pixels.count.isMultiple(of: rows * columns), "patches of one size")
        self.rows = rows
        self.columns = columns
        self.pixels = pixels
    }

    /// Number of patches.
    var count: Int { rows * columns }
}
