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

    /// Neighbouring numbers that are updated alike.
    private struct Part {
        var range: Range<Int>
        let decays: Bool
        /// Their learning rate as a share of the others'.
        let rate: Float
    }

    private let parts: [Part]

    /// Makes an optimizer for `count` numbers, of which the first `decayingCount` decay.
    package convenience init(count: Int, decayingCount: Int, settings: AdamWSettings) {
        precondition((0...count).contains(decayingCount), "decaying numbers are among all")
        self.init(
            count: count,
            parts: [
                Part(range: 0..<decayingCount, decays: true, rate: 1),
                Part(range: decayingCount..<count, decays: false, rate: 1),
            ],
            settings: settings
        )
    }

    private init(count: Int, parts: [Part], settings: AdamWSettings) {
        self.settings = settings
        self.parts = parts
        firstMoments = FloatBuffer(count: count)
        secondMoments = FloatBuffer(count: count)
    }

    /// Makes an optimizer for the parameters of a model.
    ///
    /// - Parameter visionRate: learning rate of the vision tower as a share of the others'.
    package convenience init(
        layout: ParameterLayout,
        settings: AdamWSettings,
        visionRate: Float = 1
    ) {
        var parts: [Part] = []
        for entry in layout.entries {
            let rate = entry.canonicalName.hasPrefix("vision.") ? visionRate : 1
            let end = entry.offset + entry.count
            if let last = parts.last, last.decays == entry.decays, last.rate == rate {
                parts[parts.count - 1].range = last.range.lowerBound..<end
            } else {
                parts.append(Part(range: entry.offset..<end, decays: entry.decays, rate: rate))
            }
        }
        self.init(count: layout.count, parts: parts, settings: settings)
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
        for part in parts where !part.range.isEmpty && part.rate > 0 {
            let start = part.range.lowerBound
            adamWUpdate(
                parameters: parameters.base + start,
                gradients: gradients.base + start,
                firstMoments: firstMoments.base + start,
                secondMoments: secondMoments.base + start,
                count: part.range.count,
                step: AdamStep(
                    learningRate: learningRate * part.rate,
                    beta1: settings.beta1,
                    beta2: settings.beta2,
                    epsilon: settings.epsilon,
                    weightDecay: part.decays ? settings.weightDecay : 0,
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
