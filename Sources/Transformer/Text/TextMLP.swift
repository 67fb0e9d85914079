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

    gatedProduct(
        activations.normed.base,
        rows: rows,
        gate: ProductTarget(weights.gateProj, into: gate),
        up: ProductTarget(weights.upProj, into: up),
        pool: pool
    )  // gate [rows, intermediate]
    matrixProduct(
        gate,
        rows: rows,
        by: weights.downProj,
        bias: nil,
        into: activations.update.base,
        pool: pool
    )  // [rows, hidden]
}
