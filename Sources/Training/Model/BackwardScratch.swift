/// Gradients inside one layer, used by one layer after another.
///
/// Belongs to one training thread.
final class BackwardScratch {
    let normed = GrowingBuffer<Float>()  // [rows, width], gradient of what a norm gave
    let attended = GrowingBuffer<Float>()  // [rows, heads·d]
    let queries = GrowingBuffer<Float>()  // [rows, heads·d]
    let keys = GrowingBuffer<Float>()  // [rows, kvHeads·d]
    let values = GrowingBuffer<Float>()  // [rows, kvHeads·d]
    let inner = GrowingBuffer<Float>()  // [rows, intermediate]
    let gate = GrowingBuffer<Float>()  // [rows, intermediate]

    /// Makes room for one layer.
    func require(rows: Int, width: Int, queries: Int, keys: Int, inner: Int, gate: Int) {
        normed.require(rows * width)
        attended.require(rows * queries)
        self.queries.require(rows * queries)
        self.keys.require(rows * keys)
        values.require(rows * keys)
        self.inner.require(rows * inner)
        self.gate.require(rows * gate)
    }

    /// Floats taken by ``require(rows:width:queries:keys:inner:gate:)`` for each row.
    static func floatsPerRow(width: Int, queries: Int, keys: Int, inner: Int, gate: Int) -> Int {
        width + 2 * queries + 2 * keys + inner + gate
    }
}
