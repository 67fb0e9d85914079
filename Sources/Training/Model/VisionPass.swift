import TensorKernels
import Transformer

/// The SigLIP tower and the projector over all tiles of a batch at once, forward and backward.
///
/// `Transformer.VisionEncoder` and `Projector` with every intermediate kept.
final class VisionPass {
    /// [rows, hidden], the projected features of every patch of every tile.
    let features = GrowingBuffer<Float>()
    /// Gradient of `features`; filled by the decoder's backward pass.
    let featureGradient = GrowingBuffer<Float>()

    private let patches = GrowingBuffer<Float>()  // [rows, 3·P·P]
    private let layers: [VisionLayerPass]
    private let output = GrowingBuffer<Float>()  // [rows, width], of the last layer
    private let inner = GrowingBuffer<Float>()  // [rows, hidden], before the projector's GELU
    private let activated = GrowingBuffer<Float>()  // [rows, hidden]
    private let residual = GrowingBuffer<Float>()  // [rows, width], gradient

    private let slots: ModelSlots
    private let config: VisionConfig
    private let hidden: Int

    /// Makes a tower without memory.
    init(slots: ModelSlots, config: LlavaConfig) {
        self.slots = slots
        self.config = config.vision
        hidden = config.text.hiddenSize
        layers = slots.visionLayers.map { VisionLayerPass(slots: $0, config: config.vision) }
    }

    /// Floats kept for each patch, gradients included.
    static func floatsPerRow(_ config: LlavaConfig) -> Int {
        let vision = config.vision
        return 3 * vision.patchSize * vision.patchSize + 2 * vision.hiddenSize
            + 4 * config.text.hiddenSize
            + vision.layerCount * VisionLayerPass.floatsPerRow(vision)
    }

    private func shape(_ plan: BatchPlan) -> AttentionShape {
        AttentionShape(
            heads: config.headCount,
            keyValueHeads: config.headCount,
            headDimension: config.hiddenSize / config.headCount,
            sequences: plan.tileSequences
        )
    }

    /// Tiles [T, 3, S, S] → `features`.
    func forward(_ tiles: [Float], plan: BatchPlan, context: PassContext) {
        let rows = plan.featureRows
        guard rows > 0 else { return }
        require(plan)
        let width = config.hiddenSize
        cutPatches(tiles, count: plan.tiles, context: context)
        let first = layers.first?.input ?? output
        context.apply(slots.patchEmbedding, patches, rows: rows, into: first)
        // The position embedding is one long row for each tile.
        addRowVector(
            context.parameters + slots.positionEmbedding,
            to: first.base,
            rows: plan.tiles,
            columns: rows / plan.tiles * width,
            pool: context.pool
        )
        let shape = shape(plan)
        for (index, layer) in layers.enumerated() {
            let next = index + 1 < layers.count ? layers[index + 1].input : output
            layer.forward(rows: rows, shape: shape, into: next, context: context)
        }
        context.apply(slots.projector0, output, rows: rows, into: inner)
        geluErfForward(
            inner.base,
            into: activated.base,
            count: rows * hidden,
            pool: context.pool
        )
        context.apply(slots.projector1, activated, rows: rows, into: features)
    }

    /// `featureGradient` → gradients of the projector and the tower.
    func backward(plan: BatchPlan, scratch: BackwardScratch, context: PassContext) {
        let rows = plan.featureRows
        guard rows > 0 else { return }
        let width = config.hiddenSize
        scratch.require(
            rows: rows,
            width: max(width, hidden),
            queries: max(width, hidden),
            keys: width,
            inner: config.intermediateSize,
            gate: 0
        )
        context.addWeightGradient(
            slots.projector1,
            x: activated,
            dy: featureGradient,
            rows: rows
        )
        context.inputGradient(
            slots.projector1,
            dy: featureGradient,
            rows: rows,
            into: scratch.normed
        )
        geluErfBackward(
            inner.base,
            dy: scratch.normed.base,
            into: scratch.attended.base,
            count: rows * hidden,
            pool: context.pool
        )
        context.addWeightGradient(slots.projector0, x: output, dy: scratch.attended, rows: rows)
        context.inputGradient(slots.projector0, dy: scratch.attended, rows: rows, into: residual)
        let shape = shape(plan)
        for layer in layers.reversed() {
            layer.backward(
                rows: rows,
                shape: shape,
                residual: residual,
                scratch: scratch,
                context: context
            )
        }
        addColumnSums(
            of: residual.base,
            rows: plan.tiles,
            columns: rows / plan.tiles * width,
            to: context.gradients + slots.positionEmbedding,
            pool: context.pool
        )
        context.addWeightGradient(slots.patchEmbedding, x: patches, dy: residual, rows: rows)
    }

    private func require(_ plan: BatchPlan) {
        let rows = plan.featureRows
        patches.require(rows * slots.patchEmbedding.inputs)
        output.require(rows * config.hiddenSize)
        residual.require(rows * config.hiddenSize)
        for buffer in [features, featureGradient, inner, activated] {
            buffer.require(rows * hidden)
        }
        let shape = shape(plan)
        for layer in layers { layer.require(rows: rows, shape: shape) }
    }

    /// Copies the patches of every tile into rows of columns (channel, y, x).
    private func cutPatches(_ tiles: [Float], count: Int, context: PassContext) {
        let (size, patch, grid) = (config.imageSize, config.patchSize, config.gridSide)
        let tileRows = grid * grid * slots.patchEmbedding.inputs
        let target = patches.base
        tiles.withUnsafeBufferPointer { pixels in
            guard let pixels = pixels.baseAddress else { return }
            context.pool.run(count: count) { tile, _ in
                var row = target + tile * tileRows
                let tile = pixels + tile * 3 * size * size
                for gridY in 0..<grid {
                    for gridX in 0..<grid {
                        for line in 0..<(3 * patch) {
                            let (channel, y) = line.quotientAndRemainder(dividingBy: patch)
                            let start = (channel * size + gridY * patch + y) * size + gridX * patch
                            row.update(from: tile + start, count: patch)
                            row += patch
                        }
                    }
                }
            }
        }
    }
}
