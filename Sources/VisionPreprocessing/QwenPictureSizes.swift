/// The sizes to which `qwen_vl_utils` 0.0.14 brings pictures and frames for Qwen2.5-VL, before the model's own
/// processor sees them: its `smart_resize`, `fetch_image` and `fetch_video`.
///
/// The processor finds their sides to be whole cells within its own bounds and leaves them as they are. For
/// pictures the bounds are the processor's; those for frames are far narrower.
package struct QwenPictureSizes: Sendable, Equatable {
    /// Sides are multiples of it: two patches of 14.
    private static let factor = 28.0
    /// Pixels of a clip for which there is room in a context of 128 000 cells, a tenth of it for words.
    private static let clipPixels = 128_000 * factor * factor * 0.9

    private let least: Double
    private let most: Double

    /// For a picture by itself: 4 to 16 384 cells.
    package static let picture = QwenPictureSizes(
        least: 4 * factor * factor,
        most: 16_384 * factor * factor
    )

    /// For each frame of a clip of so many: 128 to 768 cells, fewer in long clips.
    package static func frame(of count: Int) -> QwenPictureSizes {
        let least = 128 * factor * factor
        let share = clipPixels / Double(count) * 2
        return QwenPictureSizes(
            least: least,
            most: max(min(768 * factor * factor, share), (least * 1.05).rounded(.down))
        )
    }

    /// The size a picture is brought to; nil for one that is more than 200 times as long as wide.
    package func size(width: Int, height: Int) -> (width: Int, height: Int)? {
        let (long, short) = (max(width, height), min(width, height))
        guard long <= PixelBudget.greatestRatio * short else { return nil }
        let (width, height) = (Double(width), Double(height))
        let factor = Self.factor
        // Python's `round` takes halves to even.
        var wide = max(factor, (width / factor).rounded(.toNearestOrEven) * factor)
        var high = max(factor, (height / factor).rounded(.toNearestOrEven) * factor)
        if high * wide > most {
            let scale = (height * width / most).squareRoot()
            // The reference has no least side here, and fails over pictures of which one would be 0.
            high = max(factor, (height / scale / factor).rounded(.down) * factor)
            wide = max(factor, (width / scale / factor).rounded(.down) * factor)
        } else if high * wide < least {
            let scale = (least / (height * width)).squareRoot()
            high = (height * scale / factor).rounded(.up) * factor
            wide = (width * scale / factor).rounded(.up) * factor
        }
        return (Int(wide), Int(high))
    }
}
