/// How much one picture may cost.
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
}
