import TensorKernels
import Testing
import Transformer

@testable import Training

@Suite("low-rank adapters")
struct LowRankTests {
    @Test("gradients of A and B agree with central differences of the loss")
    func differences() throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: false, directory: directory)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: TrainingSamples.vocabulary
        )
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let parameters = TrainingSamples.parameters(layout, seed: 31)
        let adapters = try LowRankAdapters(
            parameters: parameters,
            options: LowRankOptions(
                rank: 3,
                alpha: 6,
                projections: LowRankOptions.knownProjections
            ),
            seed: 32
        )
        var numbers = SeededNumbers(state: 33)
        for place in 0..<adapters.values.count {
            adapters.values.base[place] += numbers.uniform(-0.2...0.2)
        }
        adapters.merge(into: parameters, pool: pool)
        let model = TrainableModel(
            config: config,
            parameters: parameters,
            pool: pool,
            trained: adapters.trainedNames
        )
        let batch = TrainingSamples.batch(config, seed: 34)
        _ = try model.accumulateGradients(batch)
        adapters.takeGradients(from: model.gradients, pool: pool)
        let base = adapters.values.base
        for _ in 0..<40 {
            let place = Int.random(in: 0..<adapters.values.count, using: &numbers)
            let kept = base[place]
            func loss(_ step: Float) throws -> Double {
                base[place] = kept + step
                adapters.merge(into: parameters, pool: pool)
                return try model.evaluate(batch).loss
            }
            let measured = (try loss(0.01) - loss(-0.01)) / 0.02
            base[place] = kept
            let expected = Double(adapters.gradients.base[place])
            #expect(
                abs(measured - expected) < 1e-2 * abs(expected) + 4e-4,
                "place \(place): measured \(measured), computed \(expected)"
            )
        }
    }

    @Test("start without a change, learn, and leave every other number alone")
    func learning() throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: TrainingSamples.vocabulary
        )
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let parameters = TrainingSamples.parameters(layout, seed: 41)
        let base = ParameterBuffer(copying: parameters)
        let adapters = try LowRankAdapters(
            parameters: parameters,
            options: LowRankOptions(rank: 4, alpha: 8, projections: ["q_proj", "down_proj"]),
            seed: 42
        )
        adapters.merge(into: parameters, pool: pool)
        #expect(
            (0..<layout.count).allSatisfy { parameters.values.base[$0] == base.values.base[$0] }
        )
        let model = TrainableModel(
            config: config,
            parameters: parameters,
            pool: pool,
            trained: adapters.trainedNames
        )
        let optimizer = AdamWOptimizer(
            count: adapters.values.count,
            decayingCount: adapters.values.count,
            settings: try AdamWSettings()
        )
        let batch = TrainingSamples.batch(config, seed: 43)
        let before = try model.evaluate(batch).loss
        for _ in 0..<30 {
            _ = try model.accumulateGradients(batch)
            adapters.takeGradients(from: model.gradients, pool: pool)
            _ = optimizer.update(
                parameters: adapters.values,
                gradients: adapters.gradients,
                learningRate: 0.02,
                pool: pool
            )
            adapters.merge(into: parameters, pool: pool)
            model.clearGradients()
        }
        #expect(try model.evaluate(batch).loss < 0.6 * before)
        for entry in layout.entries {
            let isSame = (entry.offset..<entry.offset + entry.count).allSatisfy {
                parameters.values.base[$0] == base.values.base[$0]
            }
            #expect(isSame == !adapters.trainedNames.contains(entry.canonicalName), "\(entry.name)")
        }
    }

    @Test("refuse a rank beyond a projection's and projections that are not there")
    func refusals() throws {
        #expect(throws: TrainingError.self) {
            try LowRankOptions(rank: 0, alpha: 1, projections: ["q_proj"])
        }
        #expect(throws: TrainingError.self) {
            try LowRankOptions(rank: 1, alpha: .nan, projections: ["q_proj"])
        }
        #expect(throws: TrainingError.self) {
            try LowRankOptions(rank: 1, alpha: 1, projections: ["fc1"])
        }
        #expect(throws: TrainingError.self) {
            try LowRankOptions(rank: 1, alpha: 1, projections: [])
        }
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let parameters = TrainingSamples.parameters(
            ParameterLayout(config: config, vocabularySize: 40),
            seed: 1
        )
        let options = try LowRankOptions(rank: 13, alpha: 1, projections: ["k_proj"])
        #expect(throws: TrainingError.self) {
            try LowRankAdapters(parameters: parameters, options: options, seed: 1)
        }
    }
}
