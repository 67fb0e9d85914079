package import Hashing
package import TensorKernels
package import Transformer

/// Low-rank adapters over a frozen model: W = W₀ + (alpha / r)·B·A with A [r, inputs] and B [outputs, r]
/// (Hu et al. 2021).
///
/// The parameters of the model hold W itself, so its forward and backward pass are those of full training,
/// and a saved model has the adapters merged in. From dW follow dB = s·dW·Aᵀ and dA = s·Bᵀ·dW. That costs
/// the product dW, which factored adapters avoid, and saves the moments and the gradients' disk space: an
/// adapted model has a hundredth of the trained numbers. Belongs to one training thread.
package final class LowRankAdapters {
    /// What was asked for.
    package let options: LowRankOptions
    /// All A and B, one after the other.
    package let values: FloatBuffer
    /// Their gradients, in the same layout.
    package let gradients: FloatBuffer
    /// Names the layout, for ``TrainedNumbers``.
    package let digest: Digest
    /// The weights that are adapted, for ``TrainableModel``.
    package var trainedNames: Set<String> { Set(adapters.map(\.name)) }

    private struct Adapter {
        let name: String
        let outputs: Int
        let inputs: Int
        /// Offset of W in the parameters.
        let weight: Int
        /// Offset of W₀ in `frozen`.
        let frozen: Int
        /// Offsets in `values`.
        let a: Int
        let b: Int
    }

    private let adapters: [Adapter]
    private let frozen: FloatBuffer
    private let scaled: FloatBuffer  // s·B of the largest adapter
    private let workspace = ProductWorkspace()
    private let scale: Float

    /// Puts adapters on the decoder of a model. B starts at 0, so the model is at first unchanged.
    ///
    /// - Throws: ``TrainingError/invalidOption(name:expected:got:)`` for a rank beyond a projection's.
    package init(
        parameters: ParameterBuffer,
        options: LowRankOptions,
        seed: UInt64
    ) throws(TrainingError) {
        var adapters: [Adapter] = []
        var (frozenCount, count) = (0, 0)
        var hash = SHA256()
        for entry in parameters.layout.entries {
            let parts = entry.canonicalName.split(separator: ".")
            guard parts.first == "text", parts.last == "weight", parts.count > 2,
                options.projections.contains(String(parts[parts.count - 2]))
            else { continue }
            let (outputs, inputs) = (entry.shape[0], entry.shape[1])
            guard options.rank <= min(outputs, inputs) else {
                throw .invalidOption(
                    name: "adapter rank",
                    expected: "at most \(min(outputs, inputs)) for \"\(entry.canonicalName)\"",
                    got: "\(options.rank)"
                )
            }
            let a = count
            let b = a + (options.rank * inputs + 15) / 16 * 16
            count = b + (options.rank * outputs + 15) / 16 * 16
            adapters.append(
                Adapter(
                    name: entry.canonicalName,
                    outputs: outputs,
                    inputs: inputs,
                    weight: entry.offset,
                    frozen: frozenCount,
                    a: a,
                    b: b
                )
            )
            frozenCount += entry.count
            hash.update("\(entry.name) \(outputs) \(inputs) \(options.rank)\n")
        }
        self.options = options
        self.adapters = adapters
        digest = hash.digest()
        scale = options.alpha / Float(options.rank)
        values = FloatBuffer(count: count)
        gradients = FloatBuffer(count: count)
        frozen = FloatBuffer(count: frozenCount)
        scaled = FloatBuffer(count: (adapters.map(\.outputs).max() ?? 0) * options.rank)
        fill(parameters, seed: seed)
    }

    /// Keeps W₀ and draws A with the variance of PEFT's, 1 / (3·inputs).
    private func fill(_ parameters: ParameterBuffer, seed: UInt64) {
        for (index, adapter) in adapters.enumerated() {
            (frozen.base + adapter.frozen).update(
                from: parameters.values.base + adapter.weight,
                count: adapter.outputs * adapter.inputs
            )
            var numbers = NormalNumbers(seed: seed &+ UInt64(index) &* 0x9E37_79B9_7F4A_7C15)
            let deviation = 1 / Float(3 * adapter.inputs).squareRoot()
            for place in 0..<(options.rank * adapter.inputs) {
                values.base[adapter.a + place] = numbers.next() * deviation
            }
        }
    }

    /// Writes W₀ + s·B·A into the parameters of the model; to be called after every change of `values`.
    package func merge(into parameters: ParameterBuffer, pool: ComputeThreadPool) {
        for adapter in adapters {
            let weight = parameters.values.base + adapter.weight
            weight.update(
                from: frozen.base + adapter.frozen,
                count: adapter.outputs * adapter.inputs
            )
            fillScaled(adapter)
            generalProduct(
                scaled.base,
                .rowMajor,
                values.base + adapter.a,
                .rowMajor,
                m: adapter.outputs,
                n: adapter.inputs,
                k: options.rank,
                accumulate: true,
                into: weight,
                workspace: workspace,
                pool: pool
            )
        }
    }

    /// Overwrites `gradients` with those that follow from the model's.
    package func takeGradients(from model: FloatBuffer, pool: ComputeThreadPool) {
        for adapter in adapters {
            let weight = model.base + adapter.weight
            let (a, b) = (gradients.base + adapter.a, gradients.base + adapter.b)
            fillScaled(adapter)
            generalProduct(
                scaled.base,
                .transposed,
                weight,
                .rowMajor,
                m: options.rank,
                n: adapter.inputs,
                k: adapter.outputs,
                accumulate: false,
                into: a,
                workspace: workspace,
                pool: pool
            )
            generalProduct(
                weight,
                .rowMajor,
                values.base + adapter.a,
                .transposed,
                m: adapter.outputs,
                n: options.rank,
                k: adapter.inputs,
                accumulate: false,
                into: b,
                workspace: workspace,
                pool: pool
            )
            for place in 0..<(adapter.outputs * options.rank) { b[place] *= scale }
        }
    }

    private func fillScaled(_ adapter: Adapter) {
        let b = values.base + adapter.b
        for place in 0..<(adapter.outputs * options.rank) { scaled.base[place] = b[place] * scale }
    }
}
