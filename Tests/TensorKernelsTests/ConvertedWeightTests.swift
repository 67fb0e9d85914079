import TensorKernels
import Testing

/// Panels that hold numbers otherwise than they are stored.
@Suite("Converted weights")
struct ConvertedWeightTests {
    @Test("are widened exactly and narrowed to the nearest number")
    func products() {
        var numbers = SeededNumbers(seed: 5)
        let values = numbers.floats(35 * 20)
        let identity = (0..<400).map { Float($0 % 21 == 0 ? 1 : 0) }
        for stored in WeightType.allCases {
            for held in [PanelType.float32, .bfloat16, .float16] {
                let bytes = storedNumbers(values, type: stored)
                let weight = bytes.withUnsafeBytes { bytes in
                    bytes.baseAddress.map {
                        PackedMatrix(
                            rowMajor: $0,
                            type: stored,
                            outputs: 35,
                            inputs: 20,
                            as: held
                        )
                    }
                }
                var y = [Float](repeating: 0, count: 20 * 35)
                y.apply { y in
                    identity.withUnsafeBufferPointer { x in
                        guard let x = x.baseAddress, let weight else { return }
                        matrixProduct(
                            x,
                            rows: 20,
                            by: weight,
                            bias: nil,
                            into: y,
                            pool: makePools()[0]
                        )
                    }
                }
                var wide = [Float](repeating: 0, count: 700)
                bytes.withUnsafeBytes { bytes in
                    wide.apply {
                        widen(
                            bytes.baseAddress ?? UnsafeRawPointer($0),
                            type: stored,
                            count: 700,
                            into: $0
                        )
                    }
                }
                for output in 0..<35 {
                    for k in 0..<20 {
                        let exact = wide[output * 20 + k]
                        let half: Float =
                            held == .bfloat16 ? 0x1p-8 : held == .float16 ? 0x1p-11 : 0
                        #expect(
                            (y[k * 35 + output] - exact).magnitude <= exact.magnitude * half * 1.01
                                + 0x1p-25
                        )
                        if PanelType(stored) == held { #expect(y[k * 35 + output] == exact) }
                    }
                }
            }
        }
    }
}
