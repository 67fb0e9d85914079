import TensorKernels

/// Every scratch buffer of the vision encoder and the projector, for one tile of n patches.
///
/// Tiles pass one after the other: 729 rows already fill the matrix products, and one tile's buffers stay
/// in cache. Belongs to one engine thread.
package final class VisionActivations {
    /// Looks at the rows between layers; nil in an engine.
    package var observer: ForwardObserver?

    let patches: FloatBuffer  // [n, 3·P·P]
    let hidden: FloatBuffer  // [n, visionHidden], the residual stream
    let normed: FloatBuffer  // [n, visionHidden]
    let queries: FloatBuffer  // [n, visionHidden]
    let keys: FloatBuffer  // [n, visionHidden]
    let values: FloatBuffer  // [n, visionHidden]
    let attended: FloatBuffer  // [n, visionHidden]
    let update: FloatBuffer  // [n, visionHidden], what a block adds to the residual stream
    let inner: FloatBuffer  // [n, visionIntermediate]
    let projectorHidden: FloatBuffer  // [n, hidden]
    let attentionCache: KeyValueCache  // n positions, refilled by every layer

    /// Allocates the buffers for one tile; `hiddenSize` is the width of the language model.
    package init(config: VisionConfig, hiddenSize: Int) {
        let rows = config.gridSide * config.gridSide
        let wide = rows * config.hiddenSize
        patches = FloatBuffer(count: rows * 3 * config.patchSize * config.patchSize)
        hidden = FloatBuffer(count: wide)
        normed = FloatBuffer(count: wide)
        queries = FloatBuffer(count: wide)
        keys = FloatBuffer(count: wide)
        values = FloatBuffer(count: wide)
        attended = FloatBuffer(count: wide)
        update = FloatBuffer(count: wide)
        inner = FloatBuffer(count: rows * config.intermediateSize)
        projectorHidden = FloatBuffer(count: rows * hiddenSize)
        attentionCache = KeyValueCache(
            capacity: rows,
            keyValueHeads: config.headCount,
            headDimension: config.hiddenSize / config.headCount
        )
    }

    /// Memory of the buffers, in bytes.
    package static func byteCount(config: VisionConfig, hiddenSize: Int) -> Int {
        let rows = config.gridSide * config.gridSide
        let row =
            3 * config.patchSize * config.patchSize + 7 * config.hiddenSize
            + config.intermediateSize + hiddenSize
        return rows * row * MemoryLayout<Float>.stride
            + KeyValueCache.byteCount(
                capacity: rows,
                keyValueHeads: config.headCount,
                headDimension: config.hiddenSize / config.headCount
            )
    }

    func observe(_ stage: ForwardStage, rows: Int, columns: Int) {
        guard let observer else { return }
        observer(stage, UnsafeBufferPointer(start: hidden.base, count: rows * columns), columns)
    }
}
