import TensorKernels

/// Four patches of a cell → one row of the prompt: norm, two linear layers, an exact (erf) GELU between.
///
/// The main mergers norm each patch (`modeling_qwen2_5_vl.py: Qwen2_5_VLPatchMerger`,
/// `modeling_qwen3_vl.py: Qwen3VLVisionPatchMerger`), those of DeepStack the four together.
struct PatchMerger: Sendable {
    let norm: VisionNorm
    /// The norm is over a whole cell.
    let normsCells: Bool
    let fc1: LinearWeights  // [4·visionHidden, 4·visionHidden]
    let fc2: LinearWeights  // [hidden, 4·visionHidden]

    /// The merger after the last block.
    init(
        reader: WeightReader,
        config: QwenVisionConfig,
        hiddenSize: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let isWindowed = config.isWindowed
        try self.init(
            reader: reader,
            names: isWindowed
                ? ("vision.merger.ln_q", "vision.merger.mlp.0", "vision.merger.mlp.2")
                : ("vision.merger.norm", "vision.merger.linear_fc1", "vision.merger.linear_fc2"),
            normsCells: false,
            config: config,
            hiddenSize: hiddenSize,
            pool: pool
        )
    }

    /// Merger number `level` of DeepStack.
    init(
        deepstackLevel level: Int,
        reader: WeightReader,
        config: QwenVisionConfig,
        hiddenSize: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let name = "vision.deepstack_merger_list.\(level)."
        try self.init(
            reader: reader,
            names: (name + "norm", name + "linear_fc1", name + "linear_fc2"),
            normsCells: true,
            config: config,
            hiddenSize: hiddenSize,
            pool: pool
        )
    }

    private init(
        reader: WeightReader,
        names: (norm: String, first: String, second: String),
        normsCells: Bool,
        config: QwenVisionConfig,
        hiddenSize: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let merged = config.mergedSize
        self.normsCells = normsCells
        norm = try VisionNorm(
            reader,
            names.norm,
            isRMS: config.isWindowed,
            count: normsCells ? merged : config.hiddenSize
        )
        fc1 = try LinearWeights(
            reader,
            names.first,
            outputs: merged,
            inputs: merged,
            pool: pool
        )
        fc2 = try LinearWeights(
            reader,
            names.second,
            outputs: hiddenSize,
            inputs: merged,
            pool: pool
        )
    }

    /// Merges the rows in `activations.hidden`; row c of the result, [cells, hidden], is cell c of the
    /// picture line by line, whatever the order of work.
    func apply(
        _ order: CellOrder,
        stage: ForwardStage,
        config: QwenVisionConfig,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool
    ) -> [Float] {
        let width = fc2.weight.outputs
        let count = order.cells.count * width
        return [Float](unsafeUninitializedCapacity: count) { result, initialized in
            initialized = count
            guard let result = result.baseAddress else { return }
            for chunk in QwenVisionBlock.chunks(of: order.cells.count * CellOrder.patches) {
                let first = chunk.lowerBound / CellOrder.patches
                let cells = chunk.count / CellOrder.patches
                merge(chunk, cells: cells, config: config, activations: activations, pool: pool)
                activations.observe(stage, activations.rows, rows: cells, columns: width)
                for cell in 0..<cells {
                    (result + order.cells[first + cell] * width).update(
                        from: activations.rows.base + cell * width,
                        count: width
                    )
                }
            }
        }
    }

    /// Rows `chunk` of the residual stream → `activations.rows`, [cells, hidden].
    private func merge(
        _ chunk: Range<Int>,
        cells: Int,
        config: QwenVisionConfig,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool
    ) {
        let normed = activations.normed.base
        norm.apply(
            activations.hidden.base + chunk.lowerBound * config.hiddenSize,
            rows: normsCells ? cells : chunk.count,
            columns: normsCells ? config.mergedSize : config.hiddenSize,
            into: normed,
            pool: pool
        )  // [cells, 4·visionHidden]
        let inner = activations.merged.base
        fc1.apply(normed, rows: cells, into: inner, pool: pool)  // [cells, 4·visionHidden]
        geluErf(inner, count: cells * config.mergedSize, pool: pool)
        fc2.apply(inner, rows: cells, into: activations.rows.base, pool: pool)  // [cells, hidden]
    }
}
