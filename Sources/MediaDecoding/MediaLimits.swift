/// How much one picture or video may cost.
package struct MediaLimits: Sendable, Equatable {
    /// Width times height; checked in the file's header, before a decoder starts.
    package var maximumPixels: Int
    /// Width and height each; the largest side a JPEG can have.
    package var maximumSide: Int
    /// Size of the encoded file.
    package var maximumFileBytes: Int
    /// Wall clock and processor seconds of one decoder process.
    package var maximumSeconds: Int
    /// Address space of one decoder process.
    package var maximumMemoryBytes: Int
    /// Of a video: width times height of a frame; `maximumPixels` holds too.
    package var maximumFramePixels = 1 << 24
    /// Of a video: the frames that are shown, decoded, 3 bytes to a pixel.
    package var maximumClipBytes = 512 << 20
    /// Of a video: processor seconds of one program, which decodes every frame up to the last that is shown.
    package var maximumVideoSeconds = 60
    /// Of a video: address space of one program. Decoders of video keep whole frames.
    package var maximumVideoMemoryBytes = 1536 << 20

    package init(
        maximumPixels: Int = 50_000_000,
        maximumSide: Int = 65_535,
        maximumFileBytes: Int = 64 << 20,
        maximumSeconds: Int = 10,
        maximumMemoryBytes: Int = 400 << 20
    ) {
        self.maximumPixels = maximumPixels
        self.maximumSide = maximumSide
        self.maximumFileBytes = maximumFileBytes
        self.maximumSeconds = maximumSeconds
        self.maximumMemoryBytes = maximumMemoryBytes
    }

    /// Refuses more bytes than `maximumFileBytes`; `subject` is named in the message.
    func check(fileBytes: Int, subject: String) throws(MediaError) {
        guard fileBytes <= maximumFileBytes else {
            throw .tooLarge(
                "\(subject): expected at most \(maximumFileBytes) bytes, got \(fileBytes)."
            )
        }
    }

    /// Refuses sides of zero, long sides and areas over the budget.
    func check(width: Int, height: Int) throws(MediaError) {
        guard width > 0, height > 0 else {
            throw .unreadable(
                "image: expected both sides to be at least 1 pixel, got \(width) × \(height)."
            )
        }
        guard width <= maximumSide, height <= maximumSide else {
            throw .tooLarge(
                "image: expected sides of at most \(maximumSide) pixels, got \(width) × \(height). "
                    + "Resize it."
            )
        }
        guard width * height <= maximumPixels else {
            throw .tooLarge(
                "image: expected at most \(maximumPixels) pixels, got \(width) × \(height) = "
                    + "\(width * height). Resize it or raise the pixel limit."
            )
        }
    }
    /// Refuses frames of zero or too many pixels, and too many of them together.
    func check(frameWidth width: Int, height: Int, count: Int) throws(MediaError) {
        guard width > 0, height > 0 else {
            throw .unreadable(
                "video: expected frames of at least 1 × 1 pixels, got \(width) × \(height)."
            )
        }
        let pixels = width.multipliedReportingOverflow(by: height)
        let most = min(maximumFramePixels, maximumPixels)
        guard !pixels.overflow, pixels.partialValue <= most else {
            throw .tooLarge(
                "video: expected at most \(most) pixels in a frame, got \(width) × \(height). "
                    + "Resize it."
            )
        }
        let bytes = pixels.partialValue * 3 * count
        guard bytes <= maximumClipBytes else {
            throw .tooLarge(
                "video: expected at most \(maximumClipBytes) bytes of decoded frames, got \(count) "
                    + "of \(width) × \(height), \(bytes) bytes. Resize it or show fewer frames."
            )
        }
    }
}
