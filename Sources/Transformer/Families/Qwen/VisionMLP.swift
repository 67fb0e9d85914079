import TensorKernels

/// The feed-forward part of a Qwen block.
enum VisionMLP: Sendable {
    /// Qwen2.5-VL: `down_proj(silu(gate_proj(x)) · up_proj(x))`, with biases
    /// (`modeling_qwen2_5_vl.py: Qwen2_5_VLMLP`).
    case gated(gate: LinearWeights, up: LinearWeights, down: LinearWeights)
    /// Qwen3-VL: `linear_fc2(gelu_tanh(linear_fc1(x)))` (`modeling_qwen3_vl.py: Qwen3VLVisionMLP`).
    case plain(fc1: LinearWeights, fc2: LinearWeights)

    /// Reads the tensors `<name>.…`.
    init(
        _ reader: WeightReader,
        _ name: String,
        isGated: Bool,
        config: QwenVisionConfig,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        let (hidden, inner) = (config.hiddenSize, config.intermediateSize)
        func linear(
            _ part: String,
            _ outputs: Int,
            _ inputs: Int
        ) throws(CheckpointError) -> LinearWeights {
            try LinearWeights(
                reader,
                "\(name).\(part)",
                outputs: outputs,
                inputs: inputs,
                pool: pool
            )
        }
        self =
            isGated
            ? .gated(
                gate: try linear("gate_proj", inner, hidden),
                up: try linear("up_proj", inner, hidden),
                down: try linear("down_proj", hidden, inner)
            )
            : .plain(
                fc1: try linear("linear_fc1", inner, hidden),
                fc2: try linear("linear_fc2", hidden, inner)
            )
    }

    /// `activations.normed` → `activations.update`, [rows, visionHidden].
    func apply(rows: Int, activations: QwenVisionActivations, pool: ComputeThreadPool) {
        let normed = activations.normed.base
        let inner = activations.inner.base
        let update = activations.update.base
        switch self {
        case .gated(let gate, let up, let down):
            gatedProduct(
                normed,
                rows: rows,
                gate: gate.target(inner),
                up: up.target(activations.gatedInner.base),
                pool: pool
            )  // inner [rows, inner]
            down.apply(inner, rows: rows, into: update, pool: pool)
        case .plain(let fc1, let fc2):
            fc1.apply(normed, rows: rows, into: inner, finish: .geluTanh, pool: pool)
            fc2.apply(inner, rows: rows, into: update, pool: pool)
        }
    }
}
