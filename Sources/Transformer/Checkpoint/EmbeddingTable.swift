package import TensorKernels

/// A table of rows in the stored number type, read in place from the checkpoint: token embeddings
/// [vocabulary, hidden] or position embeddings [patches, hidden]. Only the rows that are asked for
/// are ever touched, so it costs no memory beyond the kernel's page cache.
// @unchecked Sendable because the mapped memory is read-only.
package final class EmbeddingTable: @unchecked Sendable {
    package let rows: Int
    package let columns: Int
    package let type: WeightType
    private let stored: UnsafeRawPointer
    /// Keeps the mapping alive.
    private let checkpoint: Checkpoint

    /// `stored` holds rows × columns numbers of `type` inside a mapping that `checkpoint` keeps.
    init(
        stored: UnsafeRawPointer,
        type: WeightType,
        rows: Int,
        columns: Int,
        checkpoint: Checkpoint
    ) {
        self.rows = rows
        self.columns = columns
        self.type = type
        self.stored = stored
        self.checkpoint = checkpoint
    }

    /// Writes row `index`, widened to f32, to `columns` floats at `target`.
    /// The index must be inside the table: callers check token ids when they accept a prompt.
    package func row(_ index: Int, into target: UnsafeMutablePointer<Float>) {
        precondition(index >= 0 && index < rows, "embedding row \(index) of \(rows)")
        widen(
            stored + index * columns * type.byteCount,
            type: type,
            count: columns,
            into: target
        )
    }
}
