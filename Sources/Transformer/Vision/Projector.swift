import TensorKernels

/// Two linear layers with an exact (erf) GELU between: vision width → width of the language model.
///
/// `modeling_llava_onevision.py: LlavaOnevisionMultiModalProjector`; `mlp2x_gelu` in the original code.
package struct Projector: Sendable {
    let linear1: LinearWeights  // [hidden, visionHidden]
    let linear2: LinearWeights  // [hidden, hidden]

    /// Reads the weights.
    ///
    /// - Throws: ``CheckpointError`` for a tensor that is missing or has another shape.
    init(
        reader: WeightReader,
        vision: VisionConfig,
        text: TextConfig,
        pool: ComputeThreadPool
    ) throws(CheckpointError) {
        linear1 = try LinearWeights(
            reader,
            "projector.0",
            outputs: text.hiddenSize,
            inputs: vision.hiddenSize,
            pool: pool
        )
        linear2 = try LinearWeights(
            reader,
            "projector.1",
            outputs: text.hiddenSize,
            inputs: text.hiddenSize,
            pool: pool
        )
    }

    /// Projects the rows in `activations.hidden` into `features`, [rows, hidden].
    func apply(
        rows: Int,
        activations: VisionActivations,
        into features: UnsafeMutablePointer<Float>,
        pool: ComputeThreadPool
    ) {
        let inner = activations.projectorHidden.base
        linear1.apply(activations.hidden.base, rows: rows, into: inner, pool: pool)
        geluErf(inner, count: rows * linear1.weight.outputs, pool: pool)
        linear2.apply(inner, rows: rows, into: features, pool: pool)
    }
}
