import FoundationEssentials
import Glibc
import Testing

@testable import VisionPreprocessing

/// What breaks silently: one weight rounded the other way, or the vertical pass first, moves a few
/// pixels by one or two levels. No picture looks wrong; scores drift.
@Suite("Bicubic resampling equals the reference's")
struct BicubicResamplerTests {
    @Test("every golden size is equal byte for byte", arguments: 0..<22)
    func equalsPillow(index: Int) throws {
        let goldens = try PreprocessGoldens("preprocess/resize.safetensors")
        let number = index < 10 ? "0\(index)" : "\(index)"
        let source = try goldens.image("in_\(number)")
        let expected = try goldens.image("out_\(number)")
        let resized = BicubicResampler.resize(
            source,
            width: expected.width,
            height: expected.height
        )
        #expect(resized == expected)
    }

    @Test("torchvision's arithmetic equals torchvision's bytes, and is not Pillow's")
    func equalsTorchvision() throws {
        let inputs = try PreprocessGoldens("preprocess/resize.safetensors")
        let goldens = try PreprocessGoldens("preprocess/torchvision.safetensors")
        let names = goldens.names.filter { $0.hasPrefix("out_") }
        #expect(names.count == 15)
        var unlikePillow = 0
        for name in names {
            let source = try inputs.image("in_\(name.suffix(2))")
            let expected = try goldens.image(name)
            let resized = BicubicResampler.resize(
                source,
                width: expected.width,
                height: expected.height,
                arithmetic: .torchvision
            )
            #expect(resized == expected, "\(name)")
            unlikePillow += try zip(resized.pixels, inputs.image(name).pixels).count { $0 != $1 }
        }
        #expect(unlikePillow > 0)
    }

    @Test("the goldens are the cases above, all of them")
    func covers() throws {
        let goldens = try PreprocessGoldens("preprocess/resize.safetensors")
        #expect(goldens.names.count == 44)
    }

    @Test(
        "equals the plain statement of the formulas on random sizes",
        arguments: BicubicResampler.Arithmetic.allCases
    )
    func equalsPlain(arithmetic: BicubicResampler.Arithmetic) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        for _ in 0..<40 {
            let source = random.image(
                width: random.integer(1...130),
                height: random.integer(1...130)
            )
            let width = random.integer(1...130)
            let height = random.integer(1...130)
            let expected = plainResize(source, width: width, height: height, arithmetic)
            let resized = BicubicResampler.resize(
                source,
                width: width,
                height: height,
                arithmetic: arithmetic
            )
            #expect(
                resized == expected,
                "seed \(seed): \(source.width) × \(source.height) → \(width) × \(height)"
            )
        }
    }

    @Test("a uniform picture stays uniform", arguments: BicubicResampler.Arithmetic.allCases)
    func uniform(arithmetic: BicubicResampler.Arithmetic) {
        for level in [UInt8(0), 1, 127, 254, 255] {
            let source = RGBImage.filled(width: 97, height: 41, colour: [level, level, level])
            let resized = BicubicResampler.resize(
                source,
                width: 31,
                height: 77,
                arithmetic: arithmetic
            )
            #expect(resized.pixels.allSatisfy { $0 == level })
        }
    }

    @Test(
        "2000 × 2000 to 384 × 384 takes well under 50 ms of processor time",
        // Under the thread sanitizer it takes fifty times as long.
        .disabled(if: dlsym(nil, "__tsan_init") != nil)
    )
    func isFast() {
        var random = SplitMix(state: 1)
        let source = random.image(width: 2000, height: 2000)
        let fastest = (0..<5).map { _ in
            let start = threadSeconds()
            _ = BicubicResampler.resize(source, width: 384, height: 384)
            return threadSeconds() - start
        }.min()
        #expect((fastest ?? 1) < 0.05)
    }

    /// Of this thread, so that other work on the machine does not count.
    private func threadSeconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    /// The reference's statement in words: `weights_pil`, `quant` and `pass_fixed`, sample by sample.
    private func plainResize(
        _ image: RGBImage,
        width: Int,
        height: Int,
        _ arithmetic: BicubicResampler.Arithmetic
    ) -> RGBImage {
        var source = image
        if arithmetic == .pillow, source.height > 100 * source.width, height < source.height {
            source = plainPass(source, outputs: height, horizontal: false, arithmetic)
        }
        if width != source.width {
            source = plainPass(source, outputs: width, horizontal: true, arithmetic)
        }
        if height != source.height {
            source = plainPass(source, outputs: height, horizontal: false, arithmetic)
        }
        return source
    }

    private func plainPass(
        _ image: RGBImage,
        outputs: Int,
        horizontal: Bool,
        _ arithmetic: BicubicResampler.Arithmetic
    ) -> RGBImage {
        let inputs = horizontal ? image.width : image.height
        let lines = horizontal ? image.height : image.width
        let width = horizontal ? outputs : image.width
        var result = [UInt8](
            repeating: 0,
            count: 3 * width * (horizontal ? image.height : outputs)
        )
        let scale = Double(inputs) / Double(outputs)
        let filterScale = scale < 1 ? 1 : scale
        let windows = (0..<outputs).map { output -> (first: Int, weights: [Double]) in
            let center = (Double(output) + 0.5) * scale
            let first = max(0, Int(center - 2 * filterScale + 0.5))
            let last = min(inputs, Int(center + 2 * filterScale + 0.5))
            let weights = (first..<last).map { input -> Double in
                let x = abs((Double(input) - center + 0.5) * (1 / filterScale))
                if x < 1 { return (1.5 * x - 2.5) * x * x + 1 }
                return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0
            }
            let sum = weights.reduce(0, +)
            return (first, weights.map { $0 / sum })
        }
        let largest = windows.flatMap(\.weights).max() ?? 1
        let bits =
            arithmetic == .pillow
            ? 22 : (0...22).last { Int(0.5 + largest * Double(1 << $0)) < 1 << 15 } ?? 0
        let one = Double(1 << bits)
        for (output, (first, weights)) in windows.enumerated() {
            let fixed = weights.map { Int($0 * one + ($0 < 0 ? -0.5 : 0.5)) }
            for line in 0..<lines {
                for channel in 0..<3 {
                    var total = 1 << (bits - 1)
                    for (tap, weight) in fixed.enumerated() {
                        let position = first + tap
                        let index =
                            horizontal
                            ? line * image.width + position : position * image.width + line
                        total += weight * Int(image.pixels[index * 3 + channel])
                    }
                    let index = horizontal ? line * width + output : output * width + line
                    result[index * 3 + channel] = UInt8(min(max(total >> bits, 0), 255))
                }
            }
        }
        return RGBImage(
            width: width,
            height: horizontal ? image.height : outputs,
            checked: result
        )
    }
}

/// A small generator whose whole state is the seed a failure prints.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func integer(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    /// Noise.
    mutating func image(width: Int, height: Int) -> RGBImage {
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        for index in pixels.indices { pixels[index] = UInt8(truncatingIfNeeded: next()) }
        return RGBImage(width: width, height: height, checked: pixels)
    }
}
