import Foundation
import TensorKernels
import Testing

/// Slow twins in f64, with the bounds as numbers.
@Suite("Gradients of the elementwise kernels")
struct BackwardElementwiseTests {
    /// Dense where the functions bend, sparse where they are straight; an odd count, so there is a tail.
    static let values: [Float] =
        stride(from: -9, through: 9, by: 0.013).map { Float($0) } + [
            0, -0, 1e-30, -1e-30, 1e-14, 30, -30, 90, -90,
        ]
    /// The gradient that arrives: not constant, so that a mix-up of places shows.
    static let arriving: [Float] = values.indices.map { Float($0 % 7) / 4 - 0.8 }

    static func tanhForm(_ x: Double) -> Double {
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }

    static func exactForm(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.squareRoot()) }

    static func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }

    typealias Kernel = (
        UnsafePointer<Float>, UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int,
        ComputeThreadPool
    ) -> Void

    private func check(_ twin: (Double) -> Double, bound: Double, _ kernel: Kernel) {
        var results: [[UInt32]] = []
        for pool in makePools() {
            var dx = Self.values
            dx.apply { kernel(Self.values, Self.arriving, $0, Self.values.count, pool) }
            results.append(dx.bits)
            for (index, x) in Self.values.enumerated() {
                let step = 1e-5
                let slope = (twin(Double(x) + step) - twin(Double(x) - step)) / (2 * step)
                let error = (Double(dx[index]) - slope * Double(Self.arriving[index])).magnitude
                #expect(error <= bound, "at \(x): \(dx[index]), slope \(slope)")
            }
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test("GELU in the tanh form: the gradient is within 2e-6 of differences")
    func tanhGradient() {
        check(Self.tanhForm, bound: 2e-6) { x, dy, dx, count, pool in
            geluTanhBackward(x, dy: dy, into: dx, count: count, pool: pool)
        }
    }

    @Test("GELU in the exact form: the gradient is within 2e-6 of differences")
    func exactGradient() {
        check(Self.exactForm, bound: 2e-6) { x, dy, dx, count, pool in
            geluErfBackward(x, dy: dy, into: dx, count: count, pool: pool)
        }
    }

    @Test("SiLU times up: both gradients are within 5e-6 of differences")
    func siluGradients() {
        let up = Self.values.indices.map { Float($0 % 5) / 2 - 0.9 }
        var numbers = SeededNumbers(seed: 8)
        let gate = Self.values.filter { $0.magnitude < 20 }
        let dy = numbers.floats(gate.count)
        var results: [[UInt32]] = []
        for pool in makePools() {
            var (dGate, dUp) = (gate, gate)
            dGate.apply { dGate in
                dUp.apply { dUp in
                    siluMultiplyBackward(
                        gate: gate,
                        up: up,
                        dy: dy,
                        into: dGate,
                        dUp: dUp,
                        count: gate.count,
                        pool: pool
                    )
                }
            }
            results.append(dGate.bits + dUp.bits)
            for (index, x) in gate.enumerated() {
                let slope =
                    (Self.silu(Double(x) + 1e-5) - Self.silu(Double(x) - 1e-5)) / 2e-5
                let exact = slope * Double(up[index]) * Double(dy[index])
                #expect((Double(dGate[index]) - exact).magnitude <= 5e-6, "gate \(x)")
                let value = Self.silu(Double(x)) * Double(dy[index])
                #expect((Double(dUp[index]) - value).magnitude <= 5e-6, "up at \(x)")
            }
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }

    @Test("the forward kernels have the bits of those that work in place")
    func forwardBits() {
        let pool = makePools()[1]
        let (x, count) = (Self.values, Self.values.count)
        var (tanhForm, exactForm, silu) = (x, x, x)
        tanhForm.apply { geluTanh($0, count: count, pool: pool) }
        exactForm.apply { geluErf($0, count: count, pool: pool) }
        silu.apply { siluMultiply(gate: $0, up: Self.arriving, count: count, pool: pool) }
        var y = x
        y.apply { geluTanhForward(x, into: $0, count: count, pool: pool) }
        #expect(y.bits == tanhForm.bits)
        y.apply { geluErfForward(x, into: $0, count: count, pool: pool) }
        #expect(y.bits == exactForm.bits)
        y.apply {
            siluMultiplyForward(gate: x, up: Self.arriving, into: $0, count: count, pool: pool)
        }
        #expect(y.bits == silu.bits)
    }

    @Test("a gradient may take the place of the one that arrives")
    func inPlace() {
        let pool = makePools()[1]
        let (x, count) = (Self.values, Self.values.count)
        var apart = x
        apart.apply { geluTanhBackward(x, dy: Self.arriving, into: $0, count: count, pool: pool) }
        var together = Self.arriving
        together.apply { geluTanhBackward(x, dy: $0, into: $0, count: count, pool: pool) }
        #expect(apart.bits == together.bits)
    }
}
