import TensorKernels

/// One block of a Qwen tower (`modeling_qwen2_5_vl.py: Qwen2_5_VLVisionBlock`,
/// `modeling_qwen3_vl.py: Qwen3VLVisionBlock`). Property names are the checkpoint's.
struct QwenVisionBlock: Sendable {
    let norm1: VisionNorm
    let qkv: LinearWeights  // [3·hidden, hidden]
    let proj: LinearWeights  // [hidden, hidden]
    let norm2: VisionNorm
    let mlp: VisionMLP

    /// Reads the tensors `vision.blocks.<index>.…`.
    init(
        reader: WeightReader,
        config: QwenVisionConfig,
        index: Int,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let block = "vision.blocks.\(index)."
        let hidden = config.hiddenSize
        let isWindowed = config.isWindowed
        norm1 = try VisionNorm(reader, block + "norm1", isRMS: isWindowed, count: hidden)
        qkv = try LinearWeights(
            reader,
            block + "attn.qkv",
            outputs: 3 * hidden,
            inputs: hidden,
            pool: pool
        )
        proj = try LinearWeights(
            reader,
            block + "attn.proj",
            outputs: hidden,
            inputs: hidden,
            pool: pool
        )
        norm2 = try VisionNorm(reader, block + "norm2", isRMS: isWindowed, count: hidden)
        mlp = try VisionMLP(
            reader,
            block + "mlp",
            isGated: isWindowed,
            config: config,
            pool: pool
        )
    }

    /// norm → attention within each window → residual → norm → MLP → residual, on
    /// `activations.hidden` [n, visionHidden] in place.
    func forward(
        windows: [Range<Int>],
        config: QwenVisionConfig,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool
    ) {
        let rows = windows.last?.upperBound ?? 0
        for chunk in Self.chunks(of: rows) {
            project(chunk, config: config, activations: activations, pool: pool)
        }
        for window in windows {
            attend(window, config: config, activations: activations, pool: pool)
        }
        for chunk in Self.chunks(of: rows) {
            add(chunk, config: config, activations: activations, pool: pool)
        }
    }

    /// Queries, keys and values of some rows, rotated.
    private func project(
        _ rows: Range<Int>,
        config: QwenVisionConfig,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool
    ) {
        let width = config.hiddenSize
        let start = rows.lowerBound * width
        norm1.apply(
            activations.hidden.base + start,
            rows: rows.count,
            columns: width,
            into: activations.normed.base,
            pool: pool
        )  // [rows, visionHidden]
        let fused = activations.fused.base
        qkv.apply(activations.normed.base, rows: rows.count, into: fused, pool: pool)
        let targets = [activations.queries, activations.keys, activations.values]
        for row in 0..<rows.count {
            for (part, target) in targets.enumerated() {
                (target.base + start + row * width).update(
                    from: fused + (3 * row + part) * width,
                    count: width
                )
            }
        }
        let half = config.headDimension / 2
        let angles = RotaryAngles(
            cosines: activations.cosines.base + rows.lowerBound * half,
            sines: activations.sines.base + rows.lowerBound * half
        )
        for target in [activations.queries, activations.keys] {
            applyRotary(
                target.base + start,
                rows: rows.count,
                heads: config.headCount,
                headDimension: config.headDimension,
                angles: angles,
                pool: pool
            )
        }
    }

    /// Full attention among the rows of one window.
    private func attend(
        _ rows: Range<Int>,
        config: QwenVisionConfig,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool
    ) {
        let start = rows.lowerBound * config.hiddenSize
        let cache = activations.cache
        cache.truncate(to: 0)
        cache.append(
            keys: activations.keys.base + start,
            values: activations.values.base + start,
            rows: rows.count,
            pool: pool
        )
        attention(
            activations.queries.base + start,
            rows: rows.count,
            heads: config.headCount,
            cache: cache,
            mask: .full,
            into: activations.attended.base + start,
            pool: pool
        )  // [rows, visionHidden]
    }

    /// What attention and MLP add to some rows of the residual stream.
    private func add(
        _ rows: Range<Int>,
        config: QwenVisionConfig,
        activations: QwenVisionActivations,
        pool: ComputeThreadPool
    ) {
        let width = config.hiddenSize
        let hidden = activations.hidden.base + rows.lowerBound * width
        let update = activations.update.base
        proj.apply(
            activations.attended.base + rows.lowerBound * width,
            rows: rows.count,
            into: update,
            pool: pool
        )
        addInPlace(hidden, update, count: rows.count * width, pool: pool)
        norm2.apply(
            hidden,
            rows: rows.count,
            columns: width,
            into: activations.normed.base,
            pool: pool
        )
        mlp.apply(rows: rows.count, activations: activations, pool: pool)
        addInPlace(hidden, update, count: rows.count * width, pool: pool)
    }

    /// `rows` in pieces of at most a chunk, whole cells each.
    static func chunks(of rows: Int) -> [Range<Int>] {
        stride(from: 0, to: rows, by: QwenVisionActivations.chunkRows).map { start in
            start..<min(start + QwenVisionActivations.chunkRows, rows)
        }
    }
}
