/// How LLaVA-OneVision cuts a picture into tiles ("anyres"): which canvas, and where on it.
///
/// Reference: `image_processing_utils.py` (`select_best_resolution`, `get_patch_output_size`), in
/// double precision exactly as written there.
package struct AnyresGrid: Sendable, Equatable {
    /// Height and width of the canvas in pixels: one of the pinpoints.
    package let canvasHeight: Int
    package let canvasWidth: Int
    /// Height and width of the resized picture, in the middle of the canvas.
    package let resizedHeight: Int
    package let resizedWidth: Int

    /// The canvas for a picture of `width` × `height` pixels.
    ///
    /// The pinpoint that keeps most of the picture's pixels; among equals the one that wastes least.
    package init(width: Int, height: Int, pinpoints: [(height: Int, width: Int)]) {
        precondition(width > 0 && height > 0 && !pinpoints.isEmpty)
        var best = pinpoints[0]
        var bestEffective = 0
        var leastWaste = Int.max
        for pinpoint in pinpoints {
            let scale = min(
                Double(pinpoint.width) / Double(width),
                Double(pinpoint.height) / Double(height)
            )
            let scaled = Int(Double(width) * scale) * Int(Double(height) * scale)
            let effective = min(scaled, width * height)
            let waste = pinpoint.width * pinpoint.height - effective
            if effective > bestEffective || (effective == bestEffective && waste < leastWaste) {
                best = pinpoint
                bestEffective = effective
                leastWaste = waste
            }
        }
        canvasHeight = best.height
        canvasWidth = best.width

        let scaleWidth = Double(best.width) / Double(width)
        let scaleHeight = Double(best.height) / Double(height)
        if scaleWidth < scaleHeight {
            resizedWidth = best.width
            resizedHeight = min(Int((Double(height) * scaleWidth).rounded(.up)), best.height)
        } else {
            resizedHeight = best.height
            resizedWidth = min(Int((Double(width) * scaleHeight).rounded(.up)), best.width)
        }
    }
}
