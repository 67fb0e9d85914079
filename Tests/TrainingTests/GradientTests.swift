import TensorKernels
import Testing
import Transformer

@testable import Training

@Suite("gradients of the whole model")
struct GradientTests {
    @Test(
        "agree with central differences of the loss in every tensor",
        arguments: [(false, 11), (true, 12)]
    )
    func differences(tied: Bool, seed: UInt64) throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: tied, directory: directory)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: TrainingSamples.vocabulary
        )
        let parameters = TrainingSamples.parameters(layout, seed: seed)
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let model = TrainableModel(config: config, parameters: parameters, pool: pool)
        let batch = TrainingSamples.batch(config, seed: seed)
        _ = try model.accumulateGradients(batch)

        var numbers = SeededNumbers(state: seed)
        for entry in layout.entries {
            // Along a random direction of each tensor, and along one number of it.
            for isSingle in [false, true] {
                var direction = [Float](repeating: 0, count: entry.count)
                if isSingle {
                    direction[Int.random(in: 0..<entry.count, using: &numbers)] = 1
                } else {
                    for index in 0..<entry.count { direction[index] = numbers.uniform() }
                }
                let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
                let expected = zip(direction.indices, direction).reduce(0.0) { sum, pair in
                    let gradient = model.gradients.base[entry.offset + pair.0]
                    return sum + Double(gradient) * Double(pair.1 / norm)
                }
                let measured = try slope(
                    model,
                    batch,
                    entry,
                    direction.map { $0 / norm }
                )
                #expect(
                    abs(measured - expected) <= 2e-3 * abs(expected) + 4e-4,
                    "seed \(seed), \(entry.name): measured \(measured), computed \(expected)"
                )
            }
        }
    }

    /// (loss(x + h·d) − loss(x − h·d)) / 2h, extrapolated from two steps (Richardson).
    private func slope(
        _ model: TrainableModel,
        _ batch: TrainingBatch,
        _ entry: ParameterLayout.Entry,
        _ direction: [Float]
    ) throws -> Double {
        let base = model.parameters.values.base + entry.offset
        let kept = (0..<entry.count).map { base[$0] }
        func loss(_ step: Float) throws -> Double {
            for index in 0..<entry.count { base[index] = kept[index] + step * direction[index] }
            return try model.evaluate(batch).loss
        }
        func difference(_ step: Float) throws -> Double {
            (try loss(step) - loss(-step)) / Double(2 * step)
        }
        let (coarse, fine) = (try difference(0.02), try difference(0.01))
        for index in 0..<entry.count { base[index] = kept[index] }
        return (4 * fine - coarse) / 3
    }

    @Test("have equal bits with 1, 2 and 3 threads", arguments: [2, 3])
    func threads(count: Int) throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: false, directory: directory)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: TrainingSamples.vocabulary
        )
        let batch = TrainingSamples.batch(config, seed: 5)
        func gradients(_ threads: Int) throws -> ([UInt32], StepOutcome) {
            let model = TrainableModel(
                config: config,
                parameters: TrainingSamples.parameters(layout, seed: 5),
                pool: ComputeThreadPool(threads: threads, name: "test", exceedingProcessors: true)
            )
            let outcome = try model.accumulateGradients(batch, lossScale: 0.7)
            return ((0..<layout.count).map { model.gradients.base[$0].bitPattern }, outcome)
        }
        let (one, many) = (try gradients(1), try gradients(count))
        #expect(one.0 == many.0)
        #expect(one.1 == many.1)
    }

    @Test("add up over batches, scaled, and do not depend on earlier batches' sizes")
    func accumulation() throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: TrainingSamples.vocabulary
        )
        let parameters = TrainingSamples.parameters(layout, seed: 9)
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let model = TrainableModel(config: config, parameters: parameters, pool: pool)
        let whole = TrainingSamples.batch(config, seed: 9)
        _ = try model.accumulateGradients(whole)
        let expected = (0..<layout.count).map { model.gradients.base[$0] }
        model.clearGradients()
        // The same sequences, two batches, each scaled by its share of the weight.
        for range in [0..<1, 1..<4] {
            var part = whole
            part.sequences = Array(whole.sequences[range])
            _ = try model.accumulateGradients(
                part,
                lossScale: Float(part.targetWeight / whole.targetWeight)
            )
        }
        let largest = expected.map(abs).max() ?? 0
        for index in 0..<layout.count {
            #expect(abs(model.gradients.base[index] - expected[index]) <= 2e-6 * largest)
        }
    }

    @Test("memory is accounted before anything is taken")
    func memory() throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let layout = ParameterLayout(config: config, vocabularySize: 40)
        let small = TrainableModel.byteCount(layout: layout, rows: 10, tiles: 1, targets: 5)
        let large = TrainableModel.byteCount(layout: layout, rows: 20, tiles: 2, targets: 10)
        #expect(small > layout.count * 4)
        #expect(large > small)
    }
}
