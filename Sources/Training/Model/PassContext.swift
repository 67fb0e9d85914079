import TensorKernels

/// What every part of a forward or backward pass is given.
struct PassContext {
    /// The flat parameters.
    let parameters: UnsafePointer<Float>
    /// The flat gradients, of the same layout; a backward pass adds to them.
    let gradients: UnsafeMutablePointer<Float>
    /// Packed operands of products.
    let workspace: ProductWorkspace
    /// Who computes.
    let pool: ComputeThreadPool

    /// y = x·Wᵀ + b, or y += x·Wᵀ + b; x [rows, inputs], y [rows, outputs].
    func apply(
        _ linear: LinearSlot,
        _ x: GrowingBuffer<Float>,
        rows: Int,
        into y: GrowingBuffer<Float>,
        accumulate: Bool = false
    ) {
        generalProduct(
            x.base,
            .rowMajor,
            parameters + linear.weight,
            .transposed,
            m: rows,
            n: linear.outputs,
            k: linear.inputs,
            accumulate: accumulate,
            into: y.base,
            workspace: workspace,
            pool: pool
        )
        guard let bias = linear.bias else { return }
        addRowVector(
            parameters + bias,
            to: y.base,
            rows: rows,
            columns: linear.outputs,
            pool: pool
        )
    }

    /// dW += dyᵀ·x and db += Σ dy, when they are wanted.
    func addWeightGradient(
        _ linear: LinearSlot,
        x: GrowingBuffer<Float>,
        dy: GrowingBuffer<Float>,
        rows: Int
    ) {
        guard linear.isTrained else { return }
        generalProduct(
            dy.base,
            .transposed,
            x.base,
            .rowMajor,
            m: linear.outputs,
            n: linear.inputs,
            k: rows,
            accumulate: true,
            into: gradients + linear.weight,
            workspace: workspace,
            pool: pool
        )
        guard let bias = linear.bias else { return }
        addColumnSums(
            of: dy.base,
            rows: rows,
            columns: linear.outputs,
            to: gradients + bias,
            pool: pool
        )
    }

    /// dx = dy·W, or dx += dy·W.
    func inputGradient(
        _ linear: LinearSlot,
        dy: GrowingBuffer<Float>,
        rows: Int,
        into dx: GrowingBuffer<Float>,
        accumulate: Bool = false
    ) {
        generalProduct(
            dy.base,
            .rowMajor,
            parameters + linear.weight,
            .rowMajor,
            m: rows,
            n: linear.inputs,
            k: linear.outputs,
            accumulate: accumulate,
            into: dx.base,
            workspace: workspace,
            pool: pool
        )
    }
}
