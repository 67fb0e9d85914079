import TensorKernels

/// SwiGLU: `down_proj(silu(gate_proj(x)) · up_proj(x))`, `activations.normed` → `activations.update`.
///
/// `modeling_qwen2.py: Qwen2MLP.forward`.
func textMLP(
    _ weights: DecoderLayerWeights,
    rows: Int,
    config: TextConfig,
    activations: TextActivations,
    pool: ComputeThreadPool
) {
    let gate = activations.gate.base
    let up = activations.up.base

    matrixProduct(
        activations.normed.base,
        rows: rows,
        by: weights.gateProj,
        bias: nil,
        into: gate,
        pool: pool
    )  // [rows, intermediate]
    matrixProduct(
        activations.normed.base,
        rows: rows,
        by: weights.upProj,
        bias: nil,
        into: up,
        pool: pool
    )  // [rows, intermediate]
    siluMultiply(gate: gate, up: up, count: rows * config.intermediateSize, pool: pool)
    matrixProduct(
        gate,
        rows: rows,
        by: weights.downProj,
        bias: nil,
        into: activations.update.base,
        pool: pool
    )  // [rows, hidden]
}
