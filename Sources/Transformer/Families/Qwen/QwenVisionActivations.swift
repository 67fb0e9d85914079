import TensorKernels

/// Every scratch buffer of a Qwen tower, for pictures of up to `capacity` patches.
///
/// The buffers of whole pictures grow with the largest one met so far; what only some rows at a time need
/// is cut to `chunkRows`. Belongs to one engine thread.
package final class QwenVisionActivations {
    /// Rows that pass through the matrix products together; results do not depend on it.
    static let chunkRows = 512

    /// Looks at the rows between layers; nil in an engine.
    package var observer: ForwardObserver?

    /// Patches there is room for.
    private(set) var capacity = 0
    private(set) var hidden = FloatBuffer(count: 0)  // [n, visionHidden], the residual stream
    private(set) var queries = FloatBuffer(count: 0)  // [n, visionHidden]
    private(set) var keys = FloatBuffer(count: 0)  // [n, visionHidden]
    private(set) var values = FloatBuffer(count: 0)  // [n, visionHidden]
    private(set) var attended = FloatBuffer(count: 0)  // [n, visionHidden]
    private(set) var cosines = FloatBuffer(count: 0)  // [n, d/2]
    private(set) var sines = FloatBuffer(count: 0)  // [n, d/2]
    private(set) var cache: KeyValueCache  // n positions, refilled by every window

    let fused: FloatBuffer  // [chunk, 3·visionHidden]
    let normed: FloatBuffer  // [chunk, visionHidden]
    let update: FloatBuffer  // [chunk, visionHidden], what a block adds to the residual stream
    let inner: FloatBuffer  // [chunk, inner]
    let gatedInner: FloatBuffer  // [chunk, inner]
    let merged: FloatBuffer  // [chunk / 4, 4·visionHidden]
    let rows: FloatBuffer  // [chunk / 4, hidden]

    private let config: QwenVisionConfig

    /// Allocates what does not depend on pictures; `hiddenSize` is the width of the language model.
    package init(config: QwenVisionConfig, hiddenSize: Int) {
        self.config = config
        let chunk = Self.chunkRows
        fused = FloatBuffer(count: chunk * 3 * config.hiddenSize)
        normed = FloatBuffer(count: chunk * config.hiddenSize)
        update = FloatBuffer(count: chunk * config.hiddenSize)
        inner = FloatBuffer(count: chunk * config.intermediateSize)
        gatedInner = FloatBuffer(count: chunk * config.intermediateSize)
        merged = FloatBuffer(count: chunk * config.hiddenSize)
        rows = FloatBuffer(count: chunk / CellOrder.patches * hiddenSize)
        cache = Self.makeCache(1, config)
    }

    /// Makes room for a picture of `patches`.
    func reserve(_ patches: Int) {
        guard patches > capacity else { return }
        let wide = patches * config.hiddenSize
        let angles = patches * config.headDimension / 2
        hidden = FloatBuffer(count: wide)
        queries = FloatBuffer(count: wide)
        keys = FloatBuffer(count: wide)
        values = FloatBuffer(count: wide)
        attended = FloatBuffer(count: wide)
        cosines = FloatBuffer(count: angles)
        sines = FloatBuffer(count: angles)
        cache = Self.makeCache(patches, config)
        capacity = patches
    }

    /// Memory at a picture of `patches`, its pixels and its rows of the prompt included, in bytes.
    package static func byteCount(
        config: QwenVisionConfig,
        hiddenSize: Int,
        patches: Int
    ) -> Int {
        let cells = patches / CellOrder.patches
        let picture =
            patches * (5 * config.hiddenSize + config.headDimension + config.patchValues)
            + cells * hiddenSize * (1 + config.deepstackCount)
        let chunk =
            chunkRows * (6 * config.hiddenSize + 2 * config.intermediateSize)
            + chunkRows / CellOrder.patches * hiddenSize
        return (picture + chunk) * MemoryLayout<Float>.stride
            + KeyValueCache.byteCount(
                capacity: max(patches, 1),
                keyValueHeads: config.headCount,
                headDimension: config.headDimension
            )
    }

    private static func makeCache(_ patches: Int, _ config: QwenVisionConfig) -> KeyValueCache {
        KeyValueCache(
            capacity: patches,
            keyValueHeads: config.headCount,
            headDimension: config.headDimension
        )
    }

    func observe(_ stage: ForwardStage, _ buffer: FloatBuffer, rows: Int, columns: Int) {
        guard let observer else { return }
        observer(stage, UnsafeBufferPointer(start: buffer.base, count: rows * columns), columns)
    }
}
