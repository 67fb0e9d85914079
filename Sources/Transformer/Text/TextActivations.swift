/// Every scratch buffer of the decoder, for at most `rowCapacity` rows at a time.
///
/// Made once for an engine; a layer only borrows. Belongs to one engine thread.
package final class TextActivations {
    /// Rows one call of the decoder may carry.
    package let rowCapacity: Int
    /// Rows whose logits are computed at a time.
    package let logitRowCapacity: Int
    /// Looks at the rows between layers; nil in an engine.
    package var observer: ForwardObserver?

    let hidden: FloatBuffer  // [rows, hidden], the residual stream
    let normed: FloatBuffer  // [rows, hidden]
    let queries: FloatBuffer  // [rows, heads·d]
    let keys: FloatBuffer  // [rows, kvHeads·d]
    let values: FloatBuffer  // [rows, kvHeads·d]
    let attended: FloatBuffer  // [rows, heads·d]
    let gate: FloatBuffer  // [rows, intermediate]
    let up: FloatBuffer  // [rows, intermediate]
    let update: FloatBuffer  // [rows, hidden], what a block adds to the residual stream
    let finalRows: FloatBuffer  // [logitRows, hidden]
    let logits: FloatBuffer  // [logitRows, vocabulary]
    let cosines: FloatBuffer  // [rows, d/2], where each row stands
    let sines: FloatBuffer  // [rows, d/2]
    let vocabularySize: Int
    /// The rows of the present pass.
    var layout = RowLayout()

    /// Most rows whose logits are computed at a time: the head then streams its weights once for all.
    private static let logitRows = 32

    /// Allocates the buffers of a decoder for `rowCapacity` rows.
    package init(decoder: TextDecoder, rowCapacity: Int) {
        precondition(rowCapacity > 0, "a decoder call carries at least one row")
        self.rowCapacity = rowCapacity
        let config = decoder.config
        let queryWidth = config.headCount * config.headDimension
        let keyWidth = config.keyValueHeadCount * config.headDimension
        hidden = FloatBuffer(count: rowCapacity * config.hiddenSize)
        normed = FloatBuffer(count: rowCapacity * config.hiddenSize)
        queries = FloatBuffer(count: rowCapacity * queryWidth)
        keys = FloatBuffer(count: rowCapacity * keyWidth)
        values = FloatBuffer(count: rowCapacity * keyWidth)
        attended = FloatBuffer(count: rowCapacity * queryWidth)
        gate = FloatBuffer(count: rowCapacity * config.intermediateSize)
        up = FloatBuffer(count: rowCapacity * config.intermediateSize)
        update = FloatBuffer(count: rowCapacity * config.hiddenSize)
        logitRowCapacity = min(rowCapacity, Self.logitRows)
        vocabularySize = decoder.vocabularySize
        finalRows = FloatBuffer(count: logitRowCapacity * config.hiddenSize)
        logits = FloatBuffer(count: logitRowCapacity * vocabularySize)
        cosines = FloatBuffer(count: rowCapacity * config.headDimension / 2)
        sines = FloatBuffer(count: rowCapacity * config.headDimension / 2)
    }

    /// Memory of the buffers, in bytes.
    package static func byteCount(config: TextConfig, rowCapacity: Int) -> Int {
        let queryWidth = config.headCount * config.headDimension
        let keyWidth = config.keyValueHeadCount * config.headDimension
        let row =
            3 * config.hiddenSize + 2 * queryWidth + 2 * keyWidth + 2 * config.intermediateSize
            + config.headDimension
        let floats =
            rowCapacity * row
            + min(rowCapacity, logitRows) * (config.hiddenSize + config.vocabularySize)
        return floats * MemoryLayout<Float>.stride
    }

    func observe(_ stage: ForwardStage, rows: Int, columns: Int) {
        guard let observer else { return }
        observer(stage, UnsafeBufferPointer(start: hidden.base, count: rows * columns), columns)
    }
}
