package import TensorKernels

/// The vision tower of Qwen2.5-VL or Qwen3-VL with its merger: patches → rows of the prompt.
///
/// What the two have in common is written once; where they part is in ``VisionNorm``, ``VisionMLP``,
/// ``PatchMerger``, and here: windows in the one, a position table and DeepStack in the other.
/// Weights only; activations and thread pool are passed in.
package struct QwenVisionTower: Sendable {
    /// Dimensions.
    package let config: QwenVisionConfig
    /// Width of the language model.
    package let hiddenSize: Int

    let patchEmbed: PackedMatrix  // [visionHidden, 3·2·P·P]
    let patchEmbedBias: WeightVector?  // [visionHidden], Qwen3-VL
    let positions: PositionTable?  // Qwen3-VL
    let blocks: [QwenVisionBlock]
    let merger: PatchMerger
    let deepstack: [PatchMerger]  // Qwen3-VL
    private let frequencies: RotaryFrequencies

    /// Reads the weights.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        config: QwenVisionConfig,
        hiddenSize: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        self.config = config
        self.hiddenSize = hiddenSize
        patchEmbed = try reader.matrix(
            "vision.patch_embed.proj.weight",
            outputs: config.hiddenSize,
            inputs: config.patchValues,
            pool: pool
        )
        var deepstack: [PatchMerger] = []
        switch config.kind {
        case .windowed:
            patchEmbedBias = nil
            positions = nil
        case .deepstacked(let side, let levels):
            patchEmbedBias = try reader.vector(
                "vision.patch_embed.proj.bias",
                count: config.hiddenSize
            )
            positions = try PositionTable(reader: reader, side: side, hidden: config.hiddenSize)
            for level in levels.indices {
                deepstack.append(
                    try PatchMerger(
                        deepstackLevel: level,
                        reader: reader,
                        config: config,
                        hiddenSize: hiddenSize,
                        pool: pool
                    )
                )
            }
        }
        self.deepstack = deepstack
        var blocks: [QwenVisionBlock] = []
        for index in 0..<config.layerCount {
            blocks.append(
                try QwenVisionBlock(reader: reader, config: config, index: index, pool: pool)
            )
        }
        self.blocks = blocks
        merger = try PatchMerger(
            reader: reader,
            config: config,
            hiddenSize: hiddenSize,
            pool: pool
        )
        // Half of a head's frequencies follow the line, the same ones again the column.
        frequencies = RotaryFrequencies(headDimension: config.headDimension / 2, theta: 10_000)
    }

    /// Pixels of a picture, or of two frames of a clip → its rows of the prompt, line by line.
    ///
    /// `interrupt` is called before each block and may throw to stop.
    ///
    /// - Precondition: the patches are of this model's size.
    package func encode(
        _ picture: PicturePatches,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool,
        interrupt: () throws -> Void
    ) rethrows -> ImageFeatures {
        precondition(picture.pixels.count == picture.count * config.patchValues, "its patches")
        try interrupt()
        activations.reserve(picture.count)
        let order = cellOrder(of: picture)
        embed(picture, order: order, activations: activations, pool: pool)
        rotate(picture, order: order, activations: activations)
        let whole = [0..<picture.count]

        var levels = [[Float]](repeating: [], count: deepstack.count)
        for (index, block) in blocks.enumerated() {
            try interrupt()
            block.forward(
                windows: config.isWholeFrame(index) ? whole : order.windows,
                config: config,
                activations: activations,
                pool: pool
            )  // [n, visionHidden]
            activations.observe(
                .visionLayer(index),
                activations.hidden,
                rows: picture.count,
                columns: config.hiddenSize
            )
            if case .deepstacked(_, let tapped) = config.kind,
                let level = tapped.firstIndex(of: index)
            {
                // Added behind decoder layers in the order of the blocks, whatever the order of the list.
                let place = tapped.count { $0 < index }
                levels[place] = deepstack[level].apply(
                    order,
                    stage: .deepstack(level),
                    config: config,
                    activations: activations,
                    pool: pool
                )  // [cells, hidden]
            }
        }
        let values = merger.apply(
            order,
            stage: .projector,
            config: config,
            activations: activations,
            pool: pool
        )  // [cells, hidden]
        return ImageFeatures(
            tokens: order.cells.count,
            hidden: hiddenSize,
            values: values,
            deepstack: levels,
            grid: .picture(rows: picture.rows / 2, columns: picture.columns / 2)
        )
    }

    private func cellOrder(of picture: PicturePatches) -> CellOrder {
        let side = QwenVisionConfig.mergeSize
        let (rows, columns) = (picture.rows / side, picture.columns / side)
        if case .windowed(let window, _, _) = config.kind {
            return CellOrder(rows: rows, columns: columns, windowSide: window)
        }
        return CellOrder(rows: rows, columns: columns)
    }

    /// Patch embedding, one matrix product over patches, then the learned positions, into the order of
    /// work: `activations.hidden`, [n, visionHidden].
    private func embed(
        _ picture: PicturePatches,
        order: CellOrder,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool
    ) {
        let width = config.hiddenSize
        let embedded = activations.attended  // free until the first block, [n, visionHidden]
        picture.pixels.withUnsafeBufferPointer { pixels in
            guard let pixels = pixels.baseAddress else { return }
            matrixProduct(
                pixels,
                rows: picture.count,
                by: patchEmbed,
                bias: patchEmbedBias?.pointer,
                into: embedded.base,
                pool: pool
            )
        }
        activations.observe(.patchEmbedding, embedded, rows: picture.count, columns: width)
        let cell = CellOrder.patches * width
        for (place, source) in order.cells.enumerated() {
            (activations.hidden.base + place * cell).update(
                from: embedded.base + source * cell,
                count: cell
            )
        }
        guard let positions else { return }
        let hidden = activations.hidden
        pool.run(count: picture.count) { row, _ in
            let patch = order.patch(atRow: row, columns: picture.columns / 2)
            positions.add(
                line: patch.line,
                of: picture.rows,
                column: patch.column,
                of: picture.columns,
                to: hidden.base + row * width
            )
        }
    }

    /// Angles of every row: the first half of the frequencies turns by the patch's line, the second by
    /// its column (`modeling_qwen2_5_vl.py: rot_pos_emb`).
    private func rotate(
        _ picture: PicturePatches,
        order: CellOrder,
        activations: QwenVisionActivations
    ) {
        var target = 0
        let count = frequencies.values.count
        for row in 0..<picture.count {
            let patch = order.patch(atRow: row, columns: picture.columns / 2)
            for position in [patch.line, patch.column] {
                for index in 0..<count {
                    let angle = frequencies.angle(index, position: position)
                    activations.cosines.base[target] = angle.cosine
                    activations.sines.base[target] = angle.sine
                    target += 1
                }
            }
        }
    }
}

extension QwenVisionConfig {
    /// The tower of Qwen2.5-VL: windows, RMSNorm, gated MLP.
    var isWindowed: Bool {
        if case .windowed = kind { true } else { false }
    }

    /// Whether the rows of block `index` see their whole frame.
    func isWholeFrame(_ index: Int) -> Bool {
        if case .windowed(_, let wholeFrame, _) = kind { wholeFrame.contains(index) } else { true }
    }
}
