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

/// One user message: texts and pictures in order.
package struct EnginePrompt: Sendable {
    /// In order; `.image(i)` shows `images[i]`.
    package var content: [ContentPart]
    /// The pictures the content refers to.
    package var images: [EngineImage]

    /// Assembles a message.
    package init(content: [ContentPart], images: [EngineImage] = []) {
        self.content = content
        self.images = images
    }
}
