import TensorKernels

/// The norm of a Qwen tower: RMSNorm in Qwen2.5-VL, LayerNorm in Qwen3-VL.
enum VisionNorm: Sendable {
    case rms(WeightVector)
    case layer(LayerNormWeights)

    /// Reads `<name>.weight`, and `<name>.bias` of a LayerNorm.
    init(
        _ reader: WeightReader,
        _ name: String,
        isRMS: Bool,
        count: Int
    ) throws(CheckpointError) {
        self =
            isRMS
            ? .rms(try reader.vector(name + ".weight", count: count))
            : .layer(try LayerNormWeights(reader, name, count: count))
    }

    /// y = norm(x), both [rows, columns].
    func apply(
        _ x: UnsafePointer<Float>,
        rows: Int,
        columns: Int,
        into y: UnsafeMutablePointer<Float>,
        pool: ComputeThreadPool
    ) {
        switch self {
        case .rms(let weight):
            rmsNorm(
                x,
                rows: rows,
                columns: columns,
                weight: weight.pointer,
                epsilon: QwenVisionConfig.normEpsilon,
                into: y,
                pool: pool
            )
        case .layer(let weights):
            layerNorm(
                x,
                rows: rows,
                columns: columns,
                weight: weights.weight.pointer,
                bias: weights.bias.pointer,
                epsilon: QwenVisionConfig.normEpsilon,
                into: y,
                pool: pool
            )
        }
    }
}
