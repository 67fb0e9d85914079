/// The rows one image or video contributes to the prompt, in the width of the language model.
package struct ImageFeatures: Sendable {
    /// Number of rows.
    package let tokens: Int
    /// Width of a row.
    package let hidden: Int
    /// [tokens, hidden].
    package let values: [Float]
    /// What is added to the rows after the first decoder layers, each [tokens, hidden]; Qwen3-VL.
    package let deepstack: [[Float]]
    /// Where the rows stand; nil when they are counted like tokens.
    package let grid: VisualGrid?

    /// Wraps rows.
    package init(
        tokens: Int,
        hidden: Int,
        values: [Float],
        deepstack: [[Float]] = [],
        grid: VisualGrid? = nil
    ) {
        precondition(values.count == tokens * hidden, "one row for each token")
        precondition(deepstack.allSatisfy { $0.count == values.count }, "levels of as many rows")
        precondition(grid.map { $0.count == tokens } ?? true, "a place for each row")
        self.tokens = tokens
        self.hidden = hidden
        self.values = values
        self.deepstack = deepstack
        self.grid = grid
    }

    /// Memory held, in bytes.
    package var byteCount: Int {
        (1 + deepstack.count) * values.count * MemoryLayout<Float>.stride
    }
}
