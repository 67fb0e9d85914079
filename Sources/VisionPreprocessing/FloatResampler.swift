/// Bicubic resizing of bytes in single precision, as `torchvision.transforms.functional.resize` (the older of its
/// two interfaces) does it with antialias: `qwen_vl_utils` brings frames of videos to size by it.
///
/// Bytes become floats, go through a horizontal and a vertical pass without being rounded between, and are
/// rounded half to even at the end. Formulas and their order: ATen, `UpSampleKernel.cpp`, as its x86 builds
/// compute them; of 11 million floats on noise none differed from torch 2.13 before rounding.
struct FloatResampler {
    /// Weights of one axis: for each output the first input, and where its weights stand.
    private struct Axis {
        var starts: [Int] = []
        var ranges: [Range<Int>] = []
        var values: [Float] = []

        init(inputs: Int, outputs: Int) {
            let scale = Float(inputs) / Float(outputs)
            let support = scale >= 1 ? 2 * scale : 2
            // Where C++ mixes floats with a literal of double precision, so does this.
            let inverse = scale >= 1 ? Float(1 / Double(scale)) : 1
            for output in 0..<outputs {
                let center = Float(Double(scale) * (Double(output) + 0.5))
                let start = max(Int(Double(center - support) + 0.5), 0)
                let end = min(Int(Double(center + support) + 0.5), inputs)
                let first = values.count
                var sum: Float = 0
                for input in start..<max(end, start) {
                    let distance = (Double(Float(input) - center) + 0.5) * Double(inverse)
                    let weight = FloatResampler.cubic(Float(distance))
                    values.append(weight)
                    sum += weight
                }
                if sum != 0 {
                    for place in first..<values.count { values[place] /= sum }
                }
                starts.append(start)
                ranges.append(first..<values.count)
            }
        }
    }

    /// `image` resized to `width` × `height` pixels, both at least 1.
    static func resize(_ image: RGBImage, width: Int, height: Int) -> RGBImage {
        precondition(width > 0 && height > 0)
        guard width != image.width || height != image.height else { return image }
        var samples = image.pixels.map(Float.init)
        if width != image.width {
            samples = columns(samples, of: image, to: width)
        }
        if height != image.height {
            samples = rows(samples, from: image.height, to: height, rowSamples: width * 3)
        }
        return RGBImage(
            width: width,
            height: height,
            checked: samples.map { UInt8(min(max($0, 0), 255).rounded(.toNearestOrEven)) }
        )
    }

    /// The horizontal pass.
    private static func columns(_ input: [Float], of image: RGBImage, to width: Int) -> [Float] {
        let axis = Axis(inputs: image.width, outputs: width)
        let count = image.height * width * 3
        return [Float](unsafeUninitializedCapacity: count) { output, initialized in
            input.withUnsafeBufferPointer { input in
                axis.values.withUnsafeBufferPointer { weights in
                    for row in 0..<image.height {
                        let source = row * image.width * 3
                        let target = row * width * 3
                        for column in 0..<width {
                            let range = axis.ranges[column]
                            let first = source + axis.starts[column] * 3
                            for channel in 0..<3 {
                                output[target + column * 3 + channel] = sum(
                                    input,
                                    from: first + channel,
                                    weights: weights,
                                    range
                                )
                            }
                        }
                    }
                }
            }
            initialized = count
        }
    }

    /// One output sample of the horizontal pass: neighbours of a channel stand three apart.
    @inline(__always)
    private static func sum(
        _ input: UnsafeBufferPointer<Float>,
        from first: Int,
        weights: UnsafeBufferPointer<Float>,
        _ range: Range<Int>
    ) -> Float {
        var sum = input[first] * weights[range.lowerBound]
        let plain = plainTaps(of: range.count)
        for tap in 1..<max(range.count, 1) {
            let sample = input[first + tap * 3]
            let weight = weights[range.lowerBound + tap]
            sum = tap <= plain ? sum + sample * weight : sum.addingProduct(sample, weight)
        }
        return sum
    }

    /// The vertical pass: every output row is a weighted sum of whole input rows.
    private static func rows(
        _ input: [Float],
        from inputs: Int,
        to height: Int,
        rowSamples: Int
    ) -> [Float] {
        let axis = Axis(inputs: inputs, outputs: height)
        let count = height * rowSamples
        return [Float](unsafeUninitializedCapacity: count) { output, initialized in
            input.withUnsafeBufferPointer { input in
                for row in 0..<height {
                    let range = axis.ranges[row]
                    let target = row * rowSamples
                    let plain = plainTaps(of: range.count)
                    for tap in 0..<range.count {
                        let source = (axis.starts[row] + tap) * rowSamples
                        let weight = axis.values[range.lowerBound + tap]
                        for sample in 0..<rowSamples {
                            let value = input[source + sample]
                            let sum = output[target + sample]
                            output[target + sample] =
                                tap == 0
                                ? value * weight
                                : tap <= plain
                                    ? sum + value * weight : sum.addingProduct(value, weight)
                        }
                    }
                }
            }
            initialized = count
        }
    }

    /// How many products behind the first are rounded before they are added: the compiler takes them by fours and
    /// fuses what is left over.
    @inline(__always)
    private static func plainTaps(of count: Int) -> Int { (count - 1) / 4 * 4 }

    /// Keys' cubic convolution kernel, a = −0.5, products fused with what is added to them.
    private static func cubic(_ position: Float) -> Float {
        let a: Float = -0.5
        let x = abs(position)
        if x < 1 {
            let inner = (-(a + 3)).addingProduct(a + 2, x) * x
            return Float(1).addingProduct(inner, x)
        }
        if x < 2 {
            let first = (-(5 * a)).addingProduct(a, x)
            let second = (8 * a).addingProduct(first, x)
            return (-(4 * a)).addingProduct(second, x)
        }
        return 0
    }
}
