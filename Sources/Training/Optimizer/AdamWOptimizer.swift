package import TensorKernels
package import Transformer

/// AdamW with its moments, over one flat buffer (Loshchilov and Hutter 2019; `torch.optim.AdamW`).
///
/// Belongs to one training thread.
package final class AdamWOptimizer {
    /// What one step did.
    package struct Update: Sendable, Equatable {
        /// Global norm of the gradients before clipping.
        package let gradientNorm: Double
        /// False when the norm was not finite: then nothing was changed but the gradients cleared.
        package let isApplied: Bool
    }

    /// Constants.
    package let settings: AdamWSettings
    /// Steps applied so far.
    package internal(set) var step = 0
    /// Running means of the gradients and of their squares, in the layout of the parameters.
    package let firstMoments: FloatBuffer
    package let secondMoments: FloatBuffer

    private let decayingCount: Int

    /// Makes an optimizer for `count` numbers, of which the first `decayingCount` decay.
    package init(count: Int, decayingCount: Int, settings: AdamWSettings) {
        precondition((0...count).contains(decayingCount), "decaying numbers are among all")
        self.settings = settings
        self.decayingCount = decayingCount
        firstMoments = FloatBuffer(count: count)
        secondMoments = FloatBuffer(count: count)
    }

    /// Makes an optimizer for the parameters of a model.
    package convenience init(layout: ParameterLayout, settings: AdamWSettings) {
        self.init(count: layout.count, decayingCount: layout.decayingCount, settings: settings)
    }

    /// Clips the gradients, changes the parameters and clears the gradients for the next step.
    ///
    /// The norm is clipped as `torch.nn.utils.clip_grad_norm_` does, with 1e-6 added to it.
    package func update(
        parameters: FloatBuffer,
        gradients: FloatBuffer,
        learningRate: Float,
        pool: ComputeThreadPool
    ) -> Update {
        let count = firstMoments.count
        precondition(parameters.count == count && gradients.count == count, "one layout")
        let norm = squaredNorm(gradients.base, count: count, pool: pool).squareRoot()
        defer { clear(gradients, pool: pool) }
        guard norm.isFinite else { return Update(gradientNorm: norm, isApplied: false) }
        var scale: Float = 1
        if let limit = settings.maximumNorm { scale = min(1, limit / (Float(norm) + 1e-6)) }
        step += 1
        for range in [0..<decayingCount, decayingCount..<count] where !range.isEmpty {
            let start = range.lowerBound
            adamWUpdate(
                parameters: parameters.base + start,
                gradients: gradients.base + start,
                firstMoments: firstMoments.base + start,
                secondMoments: secondMoments.base + start,
                count: range.count,
                step: AdamStep(
                    learningRate: learningRate,
                    beta1: settings.beta1,
                    beta2: settings.beta2,
                    epsilon: settings.epsilon,
                    weightDecay: start < decayingCount ? settings.weightDecay : 0,
                    step: step
                ),
                gradientScale: scale,
                pool: pool
            )
        }
        return Update(gradientNorm: norm, isApplied: true)
    }

    private func clear(_ buffer: FloatBuffer, pool: ComputeThreadPool) {
        let size = 64 << 10
        let (base, count) = (buffer.base, buffer.count)
        pool.run(count: (count + size - 1) / size) { block, _ in
            let start = block * size
            (base + start).update(repeating: 0, count: min(size, count - start))
        }
    }
}
