import Foundation
import TensorKernels
import Testing

/// Slow twins in f64, with the bounds as numbers.
@Suite("Elementwise kernels")
struct ElementwiseTests {
    /// All magnitudes that occur and some that do not; an odd count, so that there is a tail.
    static let values: [Float] =
        stride(from: -12, through: 12, by: 0.000_7).map { Float($0) } + [
            0, -0, 1e-30, -1e-30, 40, -40,
        ]

    @Test("e^x is within 2 ulp over the whole range, 0 below it and infinity above")
    func exponential() {
        let pool = ComputeThreadPool(threads: 2, name: "test")
        var numbers = SeededNumbers(seed: 1)
        let x = (0..<400_003).map { _ in Float.random(in: -87.3...88.7, using: &numbers) }
        var y = x
        y.apply { exponentialInPlace($0, count: x.count, pool: pool) }
        var worst = 0.0
        for (x, y) in zip(x, y) {
            let exact = exp(Double(x))
            worst = max(worst, (Double(y) - exact).magnitude / Double(Float(exact).ulp))
        }
        #expect(worst <= 2, "worst error \(worst) ulp")
        var edges: [Float] = [0, -0, -88, -1000, -.infinity, 89, .infinity, .nan]
        edges.apply { exponentialInPlace($0, count: 8, pool: pool) }
        #expect(Array(edges[..<7]) == [1, 1, 0, 0, 0, .infinity, .infinity])
        #expect(edges[7].isNaN)
    }

    @Test("GELU in the tanh form is within 4e-7 of the larger of 1 and |x|")
    func tanhForm() {
        check(bound: 4e-7, { geluTanh($0, count: $1, pool: $2) }) { x in
            0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
    }

    @Test("GELU in the exact form is within 2e-7 of the larger of 1 and |x|")
    func exactForm() {
        check(bound: 2e-7, { geluErf($0, count: $1, pool: $2) }) { x in
            0.5 * x * erfc(-x / 2.squareRoot())
        }
    }

    @Test("SiLU times up is within 4e-7 of the larger of 1 and |x|")
    func silu() {
        let ones = [Float](repeating: 1, count: Self.values.count + 1)
        ones.withUnsafeBufferPointer { ones in
            guard let ones = ones.baseAddress else { return }
            check(bound: 4e-7, { siluMultiply(gate: $0, up: ones, count: $1, pool: $2) }) { x in
                x / (1 + exp(-x))
            }
        }
    }

    private func check(
        bound: Double,
        _ kernel: (UnsafeMutablePointer<Float>, Int, ComputeThreadPool) -> Void,
        _ twin: (Double) -> Double
    ) {
        var results: [[UInt32]] = []
        for pool in makePools() {
            var y = Self.values
            y.apply { kernel($0, Self.values.count, pool) }
            results.append(y.bits)
            var worst = 0.0
            for (x, y) in zip(Self.values, y) {
                let scale = max(1, Double(x).magnitude)
                worst = max(worst, (Double(y) - twin(Double(x))).magnitude / scale)
            }
            #expect(worst <= bound, "worst error \(worst)")
        }
        #expect(results.allSatisfy { $0 == results[0] })
        // The place of an element does not matter: shifted by one, the bits are the same.
        var shifted = [0] + Self.values
        shifted.apply { kernel($0, Self.values.count + 1, makePools()[0]) }
        #expect(Array(shifted.bits.dropFirst()) == results[0])
    }

    @Test("adds exactly")
    func addition() {
        let pool = ComputeThreadPool(threads: 2, name: "test")
        var numbers = SeededNumbers(seed: 3)
        let (a, b) = (numbers.floats(30_001), numbers.floats(30_001))
        var y = a
        y.apply { addInPlace($0, b, count: b.count, pool: pool) }
        #expect(y == zip(a, b).map { $0 + $1 })
    }

    @Test(
        "norms are within 1e-5 of f64 and independent of threads and rows",
        arguments: [8, 33, 896, 1152]
    )
    func norms(columns: Int) {
        var numbers = SeededNumbers(seed: UInt64(columns))
        let rows = 37
        let x = numbers.floats(rows * columns, scale: 3).map { $0 + 0.5 }
        let (weight, bias) = (numbers.floats(columns), numbers.floats(columns))
        var results: [[[UInt32]]] = [[], []]
        for (pool, chunk) in zip(makePools(), [rows, 1, 5]) {
            var (rms, layer) = (x, x)
            rms.apply { rms in
                for row in stride(from: 0, to: rows, by: chunk) {
                    rmsNorm(
                        rms + row * columns,
                        rows: min(chunk, rows - row),
                        columns: columns,
                        weight: weight,
                        epsilon: 1e-6,
                        into: rms + row * columns,
                        pool: pool
                    )
                }
            }
            layer.apply { layer in
                layerNorm(
                    x,
                    rows: rows,
                    columns: columns,
                    weight: weight,
                    bias: bias,
                    epsilon: 1e-6,
                    into: layer,
                    pool: pool
                )
            }
            results[0].append(rms.bits)
            results[1].append(layer.bits)
            for row in 0..<rows {
                let values = x[(row * columns)..<((row + 1) * columns)].map(Double.init)
                let squares = values.reduce(0) { $0 + $1 * $1 } / Double(columns)
                let mean = values.reduce(0, +) / Double(columns)
                let variance =
                    values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
                for column in 0..<columns {
                    let index = row * columns + column
                    let expectedRMS =
                        values[column] / (squares + 1e-6).squareRoot() * Double(weight[column])
                    let expectedLayer =
                        (values[column] - mean) / (variance + 1e-6).squareRoot()
                        * Double(weight[column]) + Double(bias[column])
                    #expect((Double(rms[index]) - expectedRMS).magnitude <= 1e-5)
                    #expect((Double(layer[index]) - expectedLayer).magnitude <= 1e-5)
                }
            }
        }
        #expect(results.allSatisfy { Set($0).count == 1 })
    }

    @Test("rotates by position, within 1e-6", arguments: [2, 6, 24, 64, 128])
    func rotary(dimension: Int) {
        let pool = ComputeThreadPool(threads: 2, name: "test")
        let table = RotaryTable(headDimension: dimension, theta: 10_000, positions: 200)
        var numbers = SeededNumbers(seed: UInt64(dimension))
        let (rows, heads, first) = (70, 3, 130)
        let x = numbers.floats(rows * heads * dimension)
        var y = x
        y.apply {
            applyRotary(
                $0,
                rows: rows,
                heads: heads,
                table: table,
                firstPosition: first,
                pool: pool
            )
        }
        for row in 0..<rows {
            for head in 0..<heads {
                for i in 0..<(dimension / 2) {
                    let frequency = 1 / Float(pow(10_000, Double(Float(2 * i) / Float(dimension))))
                    let angle = Double(Float(first + row) * frequency)
                    let at = (row * heads + head) * dimension + i
                    let (a, b) = (Double(x[at]), Double(x[at + dimension / 2]))
                    #expect((Double(y[at]) - (a * cos(angle) - b * sin(angle))).magnitude <= 1e-6)
                    #expect(
                        (Double(y[at + dimension / 2]) - (b * cos(angle) + a * sin(angle)))
                            .magnitude
                            <= 1e-6
                    )
                }
            }
        }
    }

    @Test("log softmax is within 2e-6, softmax sums to 1", arguments: [1, 7, 8, 1025, 151_936])
    func softmax(count: Int) {
        var numbers = SeededNumbers(seed: UInt64(count))
        var x = numbers.floats(count, scale: 20)
        let (highest, logSumExp) = rowLogSoftmax(x, count: count)
        #expect(highest == x.max())
        let exact =
            Double(highest) + log(x.reduce(0.0) { $0 + exp(Double($1) - Double(highest)) })
        #expect((Double(logSumExp) - exact).magnitude <= 2e-6)
        x.apply { rowSoftmax($0, count: count) }
        #expect((x.reduce(0.0) { $0 + Double($1) } - 1).magnitude <= 4e-6)
    }

    @Test("widening is exact", arguments: WeightType.allCases)
    func widening(type: WeightType) {
        var numbers = SeededNumbers(seed: 9)
        let values: [Float] = numbers.floats(1000).map {
            switch type {
            case .float32: $0
            case .bfloat16: Float(bitPattern: $0.bitPattern & 0xffff_0000)
            case .float16: Float(Float16($0))
            }
        }
        let stored = storedNumbers(values, type: type)
        #expect(stored.count == values.count * type.byteCount)
        var y = [Float](repeating: 0, count: values.count)
        y.apply { y in
            stored.withUnsafeBytes { bytes in
                if let source = bytes.baseAddress {
                    widen(source, type: type, count: values.count, into: y)
                }
            }
        }
        #expect(y == values)
    }
}
