import TensorKernels
import Testing

@Suite("Gradients of the normalizations")
struct BackwardNormalizationTests {
    /// Random rows with weights, and the slow twins in f64.
    struct Rows {
        let rows: Int
        let columns: Int
        let x: [Float]
        let dy: [Float]
        let weight: [Float]
        let bias: [Float]
        /// What the gradients are added to.
        let start: [Float]
        let startOfColumns: [Float]
        static let epsilon: Float = 1e-3

        init(rows: Int, columns: Int, numbers: inout SeededNumbers) {
            self.rows = rows
            self.columns = columns
            x = numbers.floats(rows * columns, scale: 2).map { $0 + 0.5 }
            dy = numbers.floats(rows * columns)
            weight = numbers.floats(columns)
            bias = numbers.floats(columns)
            start = numbers.floats(rows * columns)
            startOfColumns = numbers.floats(columns)
        }

        func twin(_ x: [Double], _ weight: [Double], _ bias: [Double]?) -> [Double] {
            var y: [Double] = []
            for row in 0..<rows {
                let values = x[(row * columns)..<((row + 1) * columns)]
                let mean = bias == nil ? 0 : values.reduce(0, +) / Double(columns)
                let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                let scale = 1 / (squares / Double(columns) + Double(Self.epsilon)).squareRoot()
                for (column, value) in values.enumerated() {
                    y.append((value - mean) * scale * weight[column] + (bias?[column] ?? 0))
                }
            }
            return y
        }

        /// y, gradients without what they were added to.
        struct Result {
            var y: [Float]
            var dx: [Float]
            var dWeight: [Float]
            var dBias: [Float]
        }

        func rmsNorm(pool: ComputeThreadPool) -> Result {
            var result = Result(y: x, dx: start, dWeight: startOfColumns, dBias: [])
            var deviation = [Float](repeating: 0, count: rows)
            deviation.apply { deviation in
                result.y.apply {
                    rmsNormForward(
                        x,
                        rows: rows,
                        columns: columns,
                        weight: weight,
                        epsilon: Self.epsilon,
                        into: $0,
                        inverseDeviation: deviation,
                        pool: pool
                    )
                }
                result.dx.apply { dx in
                    result.dWeight.apply { dWeight in
                        rmsNormBackward(
                            x,
                            dy: dy,
                            inverseDeviation: deviation,
                            weight: weight,
                            rows: rows,
                            columns: columns,
                            addingTo: dx,
                            dWeight: dWeight,
                            pool: pool
                        )
                    }
                }
            }
            return result
        }

        func layerNorm(pool: ComputeThreadPool) -> Result {
            var result = Result(y: x, dx: start, dWeight: startOfColumns, dBias: startOfColumns)
            var mean = [Float](repeating: 0, count: rows)
            var deviation = mean
            mean.apply { mean in
                deviation.apply { deviation in
                    result.y.apply {
                        layerNormForward(
                            x,
                            rows: rows,
                            columns: columns,
                            weight: weight,
                            bias: bias,
                            epsilon: Self.epsilon,
                            into: $0,
                            mean: mean,
                            inverseDeviation: deviation,
                            pool: pool
                        )
                    }
                    result.dx.apply { dx in
                        result.dWeight.apply { dWeight in
                            result.dBias.apply { dBias in
                                layerNormBackward(
                                    x,
                                    dy: dy,
                                    mean: mean,
                                    inverseDeviation: deviation,
                                    weight: weight,
                                    rows: rows,
                                    columns: columns,
                                    addingTo: dx,
                                    dWeight: dWeight,
                                    dBias: dBias,
                                    pool: pool
                                )
                            }
                        }
                    }
                }
            }
            return result
        }
    }

    static let shapes = [(1, 1), (1, 5), (3, 8), (7, 19), (33, 41), (4, 160)]

    @Test(
        "agree with differences in f64, are added, and have the same bits with any number of threads",
        arguments: shapes,
        [false, true]
    )
    func gradients(shape: (rows: Int, columns: Int), hasMean: Bool) {
        let seed = UInt64(shape.rows * 211 + shape.columns)
        var numbers = SeededNumbers(seed: seed)
        let this = Rows(rows: shape.rows, columns: shape.columns, numbers: &numbers)
        let run = { (pool: ComputeThreadPool) in
            hasMean ? this.layerNorm(pool: pool) : this.rmsNorm(pool: pool)
        }
        let results = makePools().map(run)
        let first = results[0]
        for other in results {
            let isSame =
                other.y.bits == first.y.bits && other.dx.bits == first.dx.bits
                && other.dWeight.bits == first.dWeight.bits && other.dBias.bits == first.dBias.bits
            #expect(isSame)
        }
        let x = this.x.map(Double.init)
        let weight = this.weight.map(Double.init)
        let bias = hasMean ? this.bias.map(Double.init) : nil
        let exact = this.twin(x, weight, bias)
        let worst = zip(first.y, exact).map { (Double($0) - $1).magnitude }.max() ?? 0
        #expect(worst <= 4e-6, "forward, worst \(worst), seed \(seed)")
        let loss = { (x: [Double], weight: [Double], bias: [Double]?) in
            BackwardDifferences.dot(this.twin(x, weight, bias), this.dy)
        }
        check(first.dx, this.start, { loss($0, weight, bias) }, this.x, &numbers, "dx")
        check(
            first.dWeight,
            this.startOfColumns,
            { loss(x, $0, bias) },
            this.weight,
            &numbers,
            "dWeight"
        )
        if hasMean {
            check(
                first.dBias,
                this.startOfColumns,
                { loss(x, weight, $0) },
                this.bias,
                &numbers,
                "dBias"
            )
        }
    }

    private func check(
        _ sum: [Float],
        _ start: [Float],
        _ loss: ([Double]) -> Double,
        _ x: [Float],
        _ numbers: inout SeededNumbers,
        _ name: String
    ) {
        BackwardDifferences.check(
            zip(sum, start).map { $0 - $1 },
            of: loss,
            at: x,
            count: 12,
            bound: 2e-5,
            numbers: &numbers,
            name
        )
    }
}
