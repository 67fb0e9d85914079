package import Hashing
package import Tokenization
package import VisionPreprocessing

/// A decoded picture and the name of its bytes.
package struct EngineImage: Sendable {
    /// SHA-256 of the file the picture was decoded from; equal digests, equal pixels.
    package let digest: Digest
    /// The pixels.
    package let image: RGBImage

    /// Pairs pixels with the digest of their file.
    package init(digest: Digest, image: RGBImage) {
        self.digest = digest
        self.image = image
    }
}

/// A video as the frames it is shown by, and the name of all of them.
package struct EngineClip: Sendable {
    /// SHA-256 over the frames' digests in their order and their times; equal digests, equal frames in
    /// equal order.
    package let digest: Digest
    /// In the order of time. Which frames of a video are shown is the caller's choice.
    package let frames: [EngineImage]
    /// Frames shown for each second of the video; nil when nobody said. Models that are told the time
    /// take 2 for nil, as the reference does.
    package let framesPerSecond: Double?
    /// Seconds from the start of the video, for each frame; nil when they follow from the rate.
    package let times: [Double]?

    /// Names frames by their digests. A clip without frames is refused by the engine.
    package init(
        frames: [EngineImage],
        framesPerSecond: Double? = nil,
        times: [Double]? = nil
    ) {
        var hash = SHA256()
        hash.update(field: "clip 1".utf8)
        for frame in frames { hash.update(field: frame.digest.bytes) }
        if let framesPerSecond { hash.update(field: "rate \(framesPerSecond)".utf8) }
        if let times { hash.update(field: "times \(times)".utf8) }
        digest = hash.digest()
        self.frames = frames
        self.framesPerSecond = framesPerSecond
        self.times = times
    }
}

/// One user message: texts, pictures and clips in order.
package struct EnginePrompt: Sendable {
    /// In order; `.image(i)` shows `images[i]` and `.video(i)` shows `clips[i]`.
    package var content: [ContentPart]
    /// The pictures the content refers to.
    package var images: [EngineImage]
    /// The clips the content refers to.
    package var clips: [EngineClip]

    /// Assembles a message.
    package init(
        content: [ContentPart],
        images: [EngineImage] = [],
        clips: [EngineClip] = []
    ) {
        self.content = content
        self.images = images
        self.clips = clips
    }
}
