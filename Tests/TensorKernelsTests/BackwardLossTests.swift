import Foundation
import TensorKernels
import Testing

@Suite("Loss and optimizer")
struct BackwardLossTests {
    /// What `softmaxCrossEntropy` leaves.
    struct Outcome {
        var gradient: [Float]
        var losses: [Float]
        var correct: [UInt8]
    }

    private func run(
        _ logits: [Float],
        targets: [Int32],
        weights: [Float],
        pool: ComputeThreadPool
    ) -> Outcome {
        let rows = targets.count
        let vocabulary = logits.count / max(rows, 1)
        var result = Outcome(
            gradient: logits,
            losses: [Float](repeating: .nan, count: rows),
            correct: [UInt8](repeating: 9, count: rows)
        )
        result.gradient.apply { logits in
            result.losses.apply { losses in
                result.correct.withUnsafeMutableBufferPointer { correct in
                    guard let correct = correct.baseAddress else { return }
                    softmaxCrossEntropy(
                        logits,
                        rows: rows,
                        vocabulary: vocabulary,
                        targets: targets,
                        weights: weights,
                        losses: losses,
                        correct: correct,
                        pool: pool
                    )
                }
            }
        }
        return result
    }

    @Test(
        "cross entropy: losses are within 2e-6 of f64 and gradients within 1e-6 of differences",
        arguments: [(1, 1), (5, 3), (9, 700), (31, 17)]
    )
    func crossEntropy(shape: (rows: Int, vocabulary: Int)) {
        let seed = UInt64(shape.rows * 7 + shape.vocabulary)
        var numbers = SeededNumbers(seed: seed)
        let logits = numbers.floats(shape.rows * shape.vocabulary, scale: 6)
        let weights = numbers.floats(shape.rows).map(\.magnitude)
        let targets = (0..<shape.rows).map { row in
            row % 4 == 3 ? -1 : Int32.random(in: 0..<Int32(shape.vocabulary), using: &numbers)
        }
        let vocabulary = shape.vocabulary
        let loss = { (x: [Double], row: Int) -> Double in
            guard targets[row] >= 0 else { return 0 }
            let values = x[(row * vocabulary)..<((row + 1) * vocabulary)]
            let total = values.reduce(0) { $0 + exp($1) }
            return Double(weights[row]) * (log(total) - x[row * vocabulary + Int(targets[row])])
        }
        let results = makePools().map {
            run(logits, targets: targets, weights: weights, pool: $0)
        }
        for result in results {
            #expect(result.gradient.bits == results[0].gradient.bits)
            #expect(result.losses.bits == results[0].losses.bits)
        }
        let exact = logits.map(Double.init)
        for row in 0..<shape.rows {
            let error = (Double(results[0].losses[row]) - loss(exact, row)).magnitude
            #expect(error <= 2e-6, "row \(row), seed \(seed)")
            let values = logits[(row * vocabulary)..<((row + 1) * vocabulary)]
            let best = values.indices.first { values[$0] == values.max() }
            let isCorrect = targets[row] >= 0 && best == row * vocabulary + Int(targets[row])
            #expect(results[0].correct[row] == (isCorrect ? 1 : 0))
        }
        for _ in 0..<20 {
            let index = logits.indices.randomElement(using: &numbers) ?? 0
            let slope = BackwardDifferences.slope(
                { loss($0, index / vocabulary) },
                at: exact,
                number: index
            )
            let error = (Double(results[0].gradient[index]) - slope).magnitude
            #expect(error <= 1e-6, "logit \(index), seed \(seed)")
        }
    }

    @Test("of equal logits the first is the highest, and large logits stay finite")
    func ties() {
        let pool = makePools()[0]
        let ties = run(
            [1, 2, 2, 1, 2, 2],
            targets: [1, 2],
            weights: [1, 1],
            pool: pool
        )
        #expect(ties.correct == [1, 0])
        let large = run([3e4, -3e4, 0], targets: [1], weights: [1], pool: pool)
        #expect(large.losses == [6e4])
        #expect(large.gradient == [1, -1, 0])
    }

    @Test("AdamW follows its formula in f64 over 20 steps, with the same bits for any threads")
    func adam() {
        var numbers = SeededNumbers(seed: 3)
        let count = 8 * 1024 * 2 + 13
        let start = numbers.floats(count)
        let gradients = (0..<20).map { _ in numbers.floats(count) }
        var results: [[UInt32]] = []
        for pool in makePools() {
            var (x, m, v) = (start, start.map { _ in Float(0) }, start.map { _ in Float(0) })
            for (number, gradient) in gradients.enumerated() {
                let step = AdamStep(
                    learningRate: 0.01,
                    beta1: 0.9,
                    beta2: 0.95,
                    epsilon: 1e-6,
                    weightDecay: 0.1,
                    step: number + 1
                )
                x.apply { x in
                    m.apply { m in
                        v.apply { v in
                            adamWUpdate(
                                parameters: x,
                                gradients: gradient,
                                firstMoments: m,
                                secondMoments: v,
                                count: count,
                                step: step,
                                gradientScale: 0.5,
                                pool: pool
                            )
                        }
                    }
                }
            }
            results.append(x.bits + m.bits + v.bits)
            for index in [0, 1, 777, count - 14, count - 1] {
                let exact = Self.adamTwin(
                    Double(start[index]),
                    gradients.map { Double($0[index]) * 0.5 }
                )
                #expect((Double(x[index]) - exact).magnitude <= 2e-6, "number \(index)")
            }
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    private static func adamTwin(_ start: Double, _ gradients: [Double]) -> Double {
        var (x, m, v) = (start, 0.0, 0.0)
        for (number, gradient) in gradients.enumerated() {
            let step = Double(number + 1)
            m = 0.9 * m + 0.1 * gradient
            v = 0.95 * v + 0.05 * gradient * gradient
            let (mean, square) = (m / (1 - pow(0.9, step)), v / (1 - pow(0.95, step)))
            x = x - 0.01 * 0.1 * x - 0.01 * mean / (square.squareRoot() + 1e-6)
        }
        return x
    }

    @Test("the squared norm is that of f64 and does not depend on the threads")
    func norm() {
        var numbers = SeededNumbers(seed: 5)
        let x = numbers.floats(50_003, scale: 3)
        let exact = x.reduce(0.0) { $0 + Double($1) * Double($1) }
        let norms = makePools().map { squaredNorm(x, count: x.count, pool: $0) }
        #expect(norms.allSatisfy { $0 == norms[0] })
        #expect((norms[0] - exact).magnitude <= 1e-9 * exact)
        #expect(squaredNorm([], count: 0, pool: makePools()[0]) == 0)
    }
}
