/// Where the rows of a picture or clip stand: frame by frame, line by line.
///
/// `get_rope_index` of `modeling_qwen2_5_vl.py` and `modeling_qwen3_vl.py`, for one picture.
package struct VisualGrid: Sendable, Equatable {
    /// Frames of the tower: pairs of a clip's frames; 1 of a picture.
    package let frames: Int
    /// Lines of rows in a frame.
    package let rows: Int
    /// Rows in a line.
    package let columns: Int
    /// Positions from one frame to the next, cut to whole ones where they are used.
    package let frameInterval: Float
    /// How far behind the first row the row after the last one stands.
    package let advance: Int

    /// Describes a picture or clip; positive sides, and an interval that is not negative.
    package init(frames: Int, rows: Int, columns: Int, frameInterval: Float, advance: Int) {
        precondition(frames > 0 && rows > 0 && columns > 0 && frameInterval >= 0 && advance > 0)
        self.frames = frames
        self.rows = rows
        self.columns = columns
        self.frameInterval = frameInterval
        self.advance = advance
    }

    /// One picture: the next row stands after its longer side.
    package static func picture(rows: Int, columns: Int) -> VisualGrid {
        VisualGrid(
            frames: 1,
            rows: rows,
            columns: columns,
            frameInterval: 0,
            advance: max(rows, columns)
        )
    }

    /// Number of rows.
    package var count: Int { frames * rows * columns }

    /// Positions of frame `frame` after the first.
    package func offset(ofFrame frame: Int) -> Int { Int(Float(frame) * frameInterval) }

    /// Where row `index` stands, counted from the first.
    func position(ofRow index: Int) -> RowPosition {
        let (frame, cell) = index.quotientAndRemainder(dividingBy: rows * columns)
        return RowPosition(
            time: offset(ofFrame: frame),
            down: cell / columns,
            across: cell % columns
        )
    }
}

/// A row's place on the three axes of the Qwen-VL families.
package struct RowPosition: Sendable, Equatable {
    package var time: Int
    package var down: Int
    package var across: Int

    /// The same place on every axis: a token.
    init(_ position: Int) {
        self.init(time: position, down: position, across: position)
    }

    init(time: Int, down: Int, across: Int) {
        self.time = time
        self.down = down
        self.across = across
    }

    /// Axis 0 is time, 1 down, 2 across.
    package subscript(axis: Int) -> Int {
        switch axis {
        case 0: time
        case 1: down
        default: across
        }
    }
}
