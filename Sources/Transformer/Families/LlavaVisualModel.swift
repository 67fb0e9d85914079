package import TensorKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The visual half of LLaVA-OneVision: tiles → SigLIP → projector → packed rows of the prompt.
///
/// Weights only; activations and thread pool are passed in.
package struct LlavaVisualModel: Sendable {
    /// Dimensions.
    package let config: LlavaConfig
    /// SigLIP.
    package let visionEncoder: VisionEncoder
    /// Tile features → rows of the prompt.
    package let packing: ImagePacking
    let projector: Projector
    let imageNewline: WeightVector  // [hidden]

    /// Reads the weights.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: LlavaConfig,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        self.config = config
        visionEncoder = try VisionEncoder(reader: reader, config: config.vision, pool: pool)
        projector = try Projector(
            reader: reader,
            vision: config.vision,
            text: config.text,
            pool: pool
        )
        imageNewline = try reader.vector("image_newline", count: config.text.hiddenSize)
        packing = ImagePacking(config)
    }

    /// Pixels of an image → its rows of the prompt.
    ///
    /// `interrupt` is called before each tile and each layer and may throw to stop. `packing` is the
    /// model's own unless a parity check asks for the other reference's.
    ///
    /// - Precondition: `tiles.pixels` holds [T, 3, S, S] with the S of this model.
    package func encodeImage(
        _ tiles: ImageTiles,
        activations: VisionActivations,
        pool: ComputeThreadPool,
        packing: ImagePacking? = nil,
        interrupt: () throws -> Void
    ) rethrows -> ImageFeatures {
        let hidden = config.text.hiddenSize
        let features = try tileFeatures(
            tiles,
            activations: activations,
            pool: pool,
            interrupt: interrupt
        )
        return (packing ?? self.packing).pack(
            features.base,
            packing: tiles.packing,
            newline: imageNewline.pointer,
            hidden: hidden,
            pool: pool
        )
    }

    /// The projected features of every tile, [T, n, hidden], before packing.
    ///
    /// A tile with the bits of an earlier one gets that one's features: a square picture on a grid of one
    /// tile is both tile 0 and the grid. An observer is shown every tile, so under one all are encoded.
    private func tileFeatures(
        _ tiles: ImageTiles,
        activations: VisionActivations,
        pool: ComputeThreadPool,
        interrupt: () throws -> Void
    ) rethrows -> FloatBuffer {
        let size = config.vision.imageSize
        let rows = config.vision.gridSide * config.vision.gridSide
        let hidden = config.text.hiddenSize
        let tileFloats = 3 * size * size
        precondition(tiles.pixels.count == tiles.tileCount * tileFloats, "tiles of side \(size)")

        let features = FloatBuffer(count: tiles.tileCount * rows * hidden)
        try tiles.pixels.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for tile in 0..<tiles.tileCount {
                try interrupt()
                let target = features.base + tile * rows * hidden
                if activations.observer == nil,
                    let twin = firstTwin(of: tile, in: base, tileFloats: tileFloats)
                {
                    target.update(
                        from: features.base + twin * rows * hidden,
                        count: rows * hidden
                    )
                    continue
                }
                try visionEncoder.forward(
                    base + tile * tileFloats,
                    activations: activations,
                    pool: pool,
                    interrupt: interrupt
                )
                projector.apply(rows: rows, activations: activations, into: target, pool: pool)
                activations.observer?(
                    .projector,
                    UnsafeBufferPointer(start: target, count: rows * hidden),
                    hidden
                )
            }
        }
        return features
    }

    /// The first tile with the bits of tile number `tile`; nil when that is the tile itself.
    private func firstTwin(
        of tile: Int,
        in pixels: UnsafePointer<Float>,
        tileFloats: Int
    ) -> Int? {
        (0..<tile).first { earlier in
            memcmp(
                pixels + earlier * tileFloats,
                pixels + tile * tileFloats,
                tileFloats * MemoryLayout<Float>.stride
            ) == 0
        }
    }
}
