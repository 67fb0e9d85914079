/// The normalised value of every byte, per channel: [3 · 256], by the arithmetic of either library.
enum PixelLevels {
    static func values(
        mean: [Float],
        standardDeviation: [Float],
        arithmetic: BicubicResampler.Arithmetic
    ) -> [Float] {
        precondition(mean.count == 3 && standardDeviation.count == 3)
        return (0..<3).flatMap { channel in
            (0..<256).map { level -> Float in
                switch arithmetic {
                case .pillow:
                    // `rescale` multiplies in double precision and casts; `normalize` is single.
                    let rescaled = Float(Double(level) * (1.0 / 255.0))
                    return (rescaled - mean[channel]) / standardDeviation[channel]
                case .torchvision:
                    // `rescale_and_normalize` folds the division by 255 into mean and deviation.
                    return (Float(level) - mean[channel] * 255) / (standardDeviation[channel] * 255)
                }
            }
        }
    }
}
