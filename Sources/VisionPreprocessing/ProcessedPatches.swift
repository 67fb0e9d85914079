/// A picture, or two frames of a clip, resized for a Qwen-VL tower, still 8 bits per sample.
package struct ProcessedPatches: Sendable {
    /// One picture or two frames, of one size in whole cells.
    package let frames: [RGBImage]
    /// Side of a patch in pixels.
    let patchSize: Int
    /// Value of every byte per channel, `[3 · 256]`.
    private let levels: [Float]

    init(frames: [RGBImage], patchSize: Int, levels: [Float]) {
        precondition(levels.count == 3 * 256 && !frames.isEmpty)
        self.frames = frames
        self.patchSize = patchSize
        self.levels = levels
    }

    /// Patches down, even.
    package var rows: Int { frames[0].height / patchSize }
    /// Patches across, even.
    package var columns: Int { frames[0].width / patchSize }

    /// Pixel values for the vision tower: `[rows · columns, 3 channels × 2 frames × P × P]`.
    ///
    /// Patches go cell by cell of 2 × 2, line by line; a picture fills both frames.
    package func normalized() -> [Float] {
        let size = patchSize
        let total = rows * columns * 3 * 2 * size * size
        let width = frames[0].width
        return [Float](unsafeUninitializedCapacity: total) { output, initialized in
            initialized = total
            guard var target = output.baseAddress else { return }
            for cellRow in 0..<rows / 2 {
                for cellColumn in 0..<columns / 2 {
                    for inside in 0..<4 {
                        let top = (2 * cellRow + inside / 2) * size
                        let left = (2 * cellColumn + inside % 2) * size
                        writePatch(top: top, left: left, width: width, into: &target)
                    }
                }
            }
        }
    }

    /// One patch: channel, frame, line, column.
    private func writePatch(
        top: Int,
        left: Int,
        width: Int,
        into target: inout UnsafeMutablePointer<Float>
    ) {
        levels.withUnsafeBufferPointer { levels in
            for channel in 0..<3 {
                for frame in [frames[0], frames[frames.count - 1]] {
                    frame.pixels.withUnsafeBufferPointer { pixels in
                        for line in top..<top + patchSize {
                            for column in left..<left + patchSize {
                                let sample = pixels[(line * width + column) * 3 + channel]
                                target.pointee = levels[channel * 256 + Int(sample)]
                                target += 1
                            }
                        }
                    }
                }
            }
        }
    }
}
