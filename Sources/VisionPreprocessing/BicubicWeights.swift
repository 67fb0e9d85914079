/// Fixed-point weights of one resampling pass, for every output position of one axis.
///
/// The formulas are those of Pillow's `Resample.c` (`precompute_coeffs`, `normalize_coeffs_8bpc`):
/// Keys' cubic with a = −0.5 in double precision, its support widened by the scale when shrinking,
/// normalised by the sum, then rounded half away from zero to ``fractionalBits``. torchvision's
/// (ATen, `UpSampleKernel.cpp`) are the same but for the number of those bits.
struct BicubicWeights {
    /// Most fractional bits of a weight: 32 − 8 (sample) − 2 (sign and overshoot).
    private static let mostFractionalBits: Int32 = 22

    /// Fractional bits of a weight, 1 to 22.
    let fractionalBits: Int32
    /// First input index of each output position.
    let starts: [Int]
    /// Input samples each output position uses.
    let counts: [Int]
    /// Distance in `values` between two output positions; at least the largest count.
    let stride: Int
    /// `values[i · stride + j]` weighs input `starts[i] + j` for output `i`.
    let values: [Int32]

    /// The weights that take `inputs` samples to `outputs`, in the precision of `arithmetic`.
    init(inputs: Int, outputs: Int, arithmetic: BicubicResampler.Arithmetic) {
        precondition(inputs > 0 && outputs > 0)
        let scale = Double(inputs) / Double(outputs)
        let filterScale = max(scale, 1)
        let support = 2 * filterScale
        let inverse = 1 / filterScale
        // ⌈support⌉ · 2 + 1 as in Resample.c: no window is longer.
        let stride = min(Int(support.rounded(.up)) * 2 + 1, inputs)

        var starts = [Int](repeating: 0, count: outputs)
        var counts = [Int](repeating: 0, count: outputs)
        var exact = [Double](repeating: 0, count: outputs * stride)
        for output in 0..<outputs {
            let center = (Double(output) + 0.5) * scale
            // Int(_:) truncates toward zero, like the C casts of the original.
            let start = max(Int(center - support + 0.5), 0)
            let end = min(Int(center + support + 0.5), inputs)
            let count = end - start
            var sum = 0.0
            for tap in 0..<count {
                let weight = Self.cubic((Double(tap + start) - center + 0.5) * inverse)
                exact[output * stride + tap] = weight
                sum += weight
            }
            if sum != 0 {
                for tap in 0..<count { exact[output * stride + tap] /= sum }
            }
            starts[output] = start
            counts[output] = count
        }
        self.starts = starts
        self.counts = counts
        self.stride = stride
        let bits = Self.fractionalBits(arithmetic, largest: exact.max() ?? 1)
        let one = Double(1 << bits)
        fractionalBits = bits
        values = exact.map { Int32(($0 < 0 ? -0.5 : 0.5) + $0 * one) }
    }

    /// Pillow's is constant; torchvision keeps the largest weight of an axis below 2¹⁵.
    private static func fractionalBits(
        _ arithmetic: BicubicResampler.Arithmetic,
        largest: Double
    ) -> Int32 {
        switch arithmetic {
        case .pillow:
            return mostFractionalBits
        case .torchvision:
            var bits: Int32 = 0
            while bits < mostFractionalBits, Int(0.5 + largest * Double(2 << bits)) < 1 << 15 {
                bits += 1
            }
            return bits
        }
    }

    /// Keys' cubic convolution kernel, a = −0.5, with the operations in Pillow's order.
    private static func cubic(_ position: Double) -> Double {
        let a = -0.5
        let x = abs(position)
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }
}
