internal import Glibc

/// The numbers of one AdamW step: Adam (Kingma and Ba 2015) with decoupled weight decay (Loshchilov and
/// Hutter 2019), in the form of torch.optim.AdamW.
package struct AdamStep: Sendable {
    /// The step size η of this step.
    package var learningRate: Float
    /// Decay of the first moment.
    package var beta1: Float
    /// Decay of the second moment.
    package var beta2: Float
    /// Added to the root of the second moment.
    package var epsilon: Float
    /// Share λ of a parameter that is taken off, times η.
    package var weightDecay: Float
    /// Number of this step, from 1; it undoes the bias of moments that start from 0.
    package var step: Int

    /// Takes all numbers as they are.
    package init(
        learningRate: Float,
        beta1: Float = 0.9,
        beta2: Float = 0.999,
        epsilon: Float = 1e-8,
        weightDecay: Float = 0.01,
        step: Int
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.step = step
    }
}

/// One AdamW step on `count` parameters. With g = gradient · gradientScale:
/// m = β₁m + (1-β₁)g, v = β₂v + (1-β₂)g²,
/// θ = θ·(1 - ηλ) - η/(1-β₁ᵗ) · m / (√v/√(1-β₂ᵗ) + ε).
///
/// - Parameters:
///   - gradients: read only.
///   - gradientScale: for clipping and for the mean over accumulated batches.
package func adamWUpdate(
    parameters: UnsafeMutablePointer<Float>,
    gradients: UnsafePointer<Float>,
    firstMoments: UnsafeMutablePointer<Float>,
    secondMoments: UnsafeMutablePointer<Float>,
    count: Int,
    step: AdamStep,
    gradientScale: Float,
    pool: ComputeThreadPool
) {
    precondition(step.step >= 1, "adamWUpdate: expected steps from 1, got \(step.step)")
    let correction1 = 1 - pow(Double(step.beta1), Double(step.step))
    let correction2 = 1 - pow(Double(step.beta2), Double(step.step))
    let size = Float(Double(step.learningRate) / correction1)
    let rootScale = Float(1 / correction2.squareRoot())
    let kept = Float(1 - Double(step.learningRate) * Double(step.weightDecay))
    let (new1, new2) = (1 - step.beta1, 1 - step.beta2)
    forEachLaneGroup(count: count, pool: pool) { index, lanes in
        let g = load8(gradients + index, lanes: lanes) * gradientScale
        let m = load8(firstMoments + index, lanes: lanes) * step.beta1 + g * new1
        let v = load8(secondMoments + index, lanes: lanes) * step.beta2 + g * g * new2
        let change = m * size / (v.squareRoot() * rootScale + step.epsilon)
        let parameter = load8(parameters + index, lanes: lanes) * kept - change
        store8(m, into: firstMoments + index, lanes: lanes)
        store8(v, into: secondMoments + index, lanes: lanes)
        store8(parameter, into: parameters + index, lanes: lanes)
    }
}

/// Σ x² in f64: each block of 16 Ki numbers in 8 lanes, then the blocks in their order.
package func squaredNorm(
    _ x: UnsafePointer<Float>,
    count: Int,
    pool: ComputeThreadPool
) -> Double {
    guard count > 0 else { return 0 }
    let size = 16 << 10
    let blocks = (count + size - 1) / size
    return withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks) { sums in
        guard let sums = sums.baseAddress else { return 0 }
        pool.run(count: blocks) { block, _ in
            var lanesSum = SIMD8<Double>.zero
            forEachLaneGroup(in: (block * size)..<min((block + 1) * size, count)) { index, lanes in
                let value = SIMD8<Double>(load8(x + index, lanes: lanes))
                lanesSum.addProduct(value, value)
            }
            (sums + block).initialize(to: lanesSum.sum())
        }
        var total = 0.0
        for block in 0..<blocks { total += sums[block] }
        return total
    }
}
