/// How large a picture is made for a Qwen-VL tower: sides in whole cells, area within two bounds.
///
/// `smart_resize` of `image_processing_qwen2_vl.py` and of `video_processing_qwen3_vl.py`, in double
/// precision as written there; `round` is Python's, half to even.
package struct PixelBudget: Sendable, Equatable {
    /// Sides are multiples of it: the patch's side times 2.
    package let factor: Int
    /// Least and most pixels.
    package let least: Int
    package let most: Int

    /// Longer side over shorter side, beyond which the reference refuses a picture.
    package static let greatestRatio = 200

    /// Describes a budget of positive bounds, the least not above the most.
    package init(factor: Int, least: Int, most: Int) {
        precondition(factor > 0 && least > 0 && least <= most)
        self.factor = factor
        self.least = least
        self.most = most
    }

    /// The size a picture is resized to.
    ///
    /// - Throws: a sentence for a picture that is more than 200 times as long as wide.
    package func size(
        width: Int,
        height: Int
    ) throws(VisionPreprocessingError) -> (width: Int, height: Int) {
        try Self.checkRatio(width: width, height: height)
        return size(width: Double(width), height: Double(height), frames: 1, depth: 1)
    }

    /// The size every frame of a clip is resized to when the bounds are those of the whole clip: Qwen3-VL.
    ///
    /// - Throws: a sentence for frames that are more than 200 times as long as wide.
    package func size(
        width: Int,
        height: Int,
        frames: Int
    ) throws(VisionPreprocessingError) -> (width: Int, height: Int) {
        try Self.checkRatio(width: width, height: height)
        var (wide, high) = (Double(width), Double(height))
        if min(width, height) < factor {
            let scale = max(Double(factor) / high, Double(factor) / wide)
            (wide, high) = ((wide * scale).rounded(.down), (high * scale).rounded(.down))
        }
        let depth = (Double(frames) / 2).rounded(.toNearestOrEven) * 2
        return size(width: wide, height: high, frames: Double(frames), depth: depth)
    }

    /// - Parameters: `depth` counts the frames in the area that is compared, `frames` in the scale.
    private func size(
        width: Double,
        height: Double,
        frames: Double,
        depth: Double
    ) -> (width: Int, height: Int) {
        let factor = Double(factor)
        var wide = (width / factor).rounded(.toNearestOrEven) * factor
        var high = (height / factor).rounded(.toNearestOrEven) * factor
        if depth * high * wide > Double(most) {
            let scale = (frames * height * width / Double(most)).squareRoot()
            high = max(factor, (height / scale / factor).rounded(.down) * factor)
            wide = max(factor, (width / scale / factor).rounded(.down) * factor)
        } else if depth * high * wide < Double(least) {
            let scale = (Double(least) / (frames * height * width)).squareRoot()
            high = (height * scale / factor).rounded(.up) * factor
            wide = (width * scale / factor).rounded(.up) * factor
        }
        return (Int(wide), Int(high))
    }

    private static func checkRatio(width: Int, height: Int) throws(VisionPreprocessingError) {
        let (long, short) = (max(width, height), min(width, height))
        guard long <= greatestRatio * short else {
            throw VisionPreprocessingError(
                "image: expected a longer side of at most \(greatestRatio) times the shorter one, "
                    + "got \(width) × \(height) pixels. Crop the picture."
            )
        }
    }
}
