import TensorKernels
import Testing
import Transformer

@testable import Training

@Suite("optimizer")
struct OptimizerTests {
    @Test("the rate rises linearly, falls along half a cosine and stays at the floor")
    func schedule() throws {
        let schedule = try LearningRateSchedule(
            peak: 1,
            floor: 0.1,
            warmUpSteps: 10,
            totalSteps: 110
        )
        #expect(schedule.rate(step: 1) == 0.1)
        #expect(schedule.rate(step: 10) == 1)
        #expect(abs(schedule.rate(step: 60) - 0.55) < 1e-6)
        #expect(abs(schedule.rate(step: 110) - 0.1) < 1e-6)
        #expect(schedule.rate(step: 500) == schedule.rate(step: 110))
        for step in 10..<110 { #expect(schedule.rate(step: step + 1) <= schedule.rate(step: step)) }
    }

    @Test(
        "a schedule refuses what makes no sense",
        arguments: [
            (0, 0, 0, 10), (Float.nan, 0, 0, 10), (1, 2, 0, 10), (1, -1, 0, 10), (1, 0, 11, 10),
            (1, 0, -1, 10), (1, 0, 0, 0),
        ] as [(Float, Float, Int, Int)]
    )
    func scheduleRefusals(peak: Float, floor: Float, warmUp: Int, total: Int) {
        #expect(throws: TrainingError.self) {
            try LearningRateSchedule(
                peak: peak,
                floor: floor,
                warmUpSteps: warmUp,
                totalSteps: total
            )
        }
    }

    @Test(
        "AdamW refuses constants out of range",
        arguments: [(1, 0.9, 1e-8, 0), (0.9, -0.1, 1e-8, 0), (0.9, 0.9, 0, 0), (0.9, 0.9, 1, -1)]
            as [(Float, Float, Float, Float)]
    )
    func settingRefusals(beta1: Float, beta2: Float, epsilon: Float, decay: Float) {
        #expect(throws: TrainingError.self) {
            try AdamWSettings(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: decay)
        }
    }

    @Test("gradients that are not finite change nothing and are cleared")
    func notFinite() throws {
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let optimizer = AdamWOptimizer(
            count: 32,
            decayingCount: 16,
            settings: try AdamWSettings(weightDecay: 0.1)
        )
        let (parameters, gradients) = (FloatBuffer(count: 32), FloatBuffer(count: 32))
        parameters.base.update(repeating: 2, count: 32)
        gradients.base[7] = .nan
        let update = optimizer.update(
            parameters: parameters,
            gradients: gradients,
            learningRate: 0.1,
            pool: pool
        )
        #expect(!update.isApplied)
        #expect(optimizer.step == 0)
        #expect((0..<32).allSatisfy { parameters.base[$0] == 2 && gradients.base[$0] == 0 })
    }

    @Test("training a tiny model drives its loss down")
    func learning() throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: TrainingSamples.vocabulary
        )
        let pool = ComputeThreadPool(threads: 2, name: "test")
        let model = TrainableModel(
            config: config,
            parameters: ParameterBuffer(layout: layout, seed: 3),
            pool: pool
        )
        let optimizer = AdamWOptimizer(layout: layout, settings: try AdamWSettings())
        let batch = TrainingSamples.batch(config, seed: 3)
        let before = try model.evaluate(batch)
        for _ in 0..<80 {
            _ = try model.accumulateGradients(batch)
            _ = optimizer.update(
                parameters: model.parameters.values,
                gradients: model.gradients,
                learningRate: 0.01,
                pool: pool
            )
        }
        let after = try model.evaluate(batch)
        #expect(before.loss > 3)
        #expect(after.loss < 0.3, "\(after.loss)")
        #expect(after.correct > before.correct)
    }

    @Test("a vision tower learns at its own rate, or not at all", arguments: [Float(0), 0.25, 1])
    func visionRate(rate: Float) throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let layout = ParameterLayout(config: config, vocabularySize: TrainingSamples.vocabulary)
        let pool = ComputeThreadPool(threads: 2, name: "test")
        let optimizer = AdamWOptimizer(
            layout: layout,
            settings: try AdamWSettings(weightDecay: 0, maximumNorm: nil),
            visionRate: rate
        )
        let parameters = ParameterBuffer(layout: layout, seed: 3)
        let before = ParameterBuffer(copying: parameters)
        let gradients = FloatBuffer(count: layout.count)
        gradients.base.update(repeating: 0.5, count: layout.count)
        _ = optimizer.update(
            parameters: parameters.values,
            gradients: gradients,
            learningRate: 0.01,
            pool: pool
        )
        // The first step of Adam has the size of the rate, whatever the gradient.
        for entry in layout.entries {
            let isVision = entry.canonicalName.hasPrefix("vision.")
            let wanted = isVision ? 0.01 * rate : 0.01
            for place in entry.offset..<(entry.offset + entry.count) {
                let change = before.values.base[place] - parameters.values.base[place]
                #expect(abs(change - wanted) < 1e-5, "\(entry.canonicalName)")
            }
        }
    }
}
