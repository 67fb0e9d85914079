import TensorKernels

/// What a norm keeps of each row for its backward pass.
final class NormTape {
    let mean = GrowingBuffer<Float>()  // [rows], not used by the root mean square norm
    let inverseDeviation = GrowingBuffer<Float>()  // [rows]

    /// Makes room for `rows`.
    func require(rows: Int) {
        mean.require(rows)
        inverseDeviation.require(rows)
    }
}

extension PassContext {
    /// y = norm(x): a LayerNorm where there is a bias, else a root mean square norm.
    func normalize(
        _ norm: NormSlot,
        _ x: GrowingBuffer<Float>,
        rows: Int,
        columns: Int,
        epsilon: Float,
        into y: GrowingBuffer<Float>,
        tape: NormTape
    ) {
        if let bias = norm.bias {
            layerNormForward(
                x.base,
                rows: rows,
                columns: columns,
                weight: parameters + norm.weight,
                bias: parameters + bias,
                epsilon: epsilon,
                into: y.base,
                mean: tape.mean.base,
                inverseDeviation: tape.inverseDeviation.base,
                pool: pool
            )
        } else {
            rmsNormForward(
                x.base,
                rows: rows,
                columns: columns,
                weight: parameters + norm.weight,
                epsilon: epsilon,
                into: y.base,
                inverseDeviation: tape.inverseDeviation.base,
                pool: pool
            )
        }
    }

    /// Adds the gradient of x to dx and those of the norm's numbers to the gradients.
    func normalizeBackward(
        _ norm: NormSlot,
        x: GrowingBuffer<Float>,
        dy: GrowingBuffer<Float>,
        rows: Int,
        columns: Int,
        tape: NormTape,
        addingTo dx: GrowingBuffer<Float>
    ) {
        if let bias = norm.bias {
            layerNormBackward(
                x.base,
                dy: dy.base,
                mean: tape.mean.base,
                inverseDeviation: tape.inverseDeviation.base,
                weight: parameters + norm.weight,
                rows: rows,
                columns: columns,
                addingTo: dx.base,
                dWeight: gradients + norm.weight,
                dBias: gradients + bias,
                pool: pool
            )
        } else {
            rmsNormBackward(
                x.base,
                dy: dy.base,
                inverseDeviation: tape.inverseDeviation.base,
                weight: parameters + norm.weight,
                rows: rows,
                columns: columns,
                addingTo: dx.base,
                dWeight: gradients + norm.weight,
                pool: pool
            )
        }
    }
}
