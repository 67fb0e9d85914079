/// What scripts of a line of models do to a decoded picture or frame before the model's own preprocessing
/// sees it, step by step. Data: the encoder that ``Step/jpeg(quality:)`` needs is the caller's.
package struct PicturePreparation: Sendable, Hashable {
    /// One change of the pixels.
    package enum Step: Sendable, Hashable {
        /// Squashed to a size, as Pillow's `Image.resize((width, height))`.
        case resize(width: Int, height: Int)
        /// Written as a JPEG file of this quality, colours at half the resolution, and read again: Pillow's
        /// `Image.save(…, format="JPEG", quality=…)`.
        case jpeg(quality: Int)
        /// Brought to the size that `qwen_vl_utils` hands a Qwen2.5-VL processor: see ``QwenPictureSizes``.
        case fit
    }

    /// What is prepared.
    package enum Subject: Sendable, Hashable {
        /// A picture by itself.
        case picture
        /// A frame of a clip that is shown by so many.
        case frame(of: Int)
    }

    /// The pixels as they were decoded.
    package static let none = PicturePreparation([])

    /// The most steps there may be; scripts take two.
    package static let mostSteps = 8

    /// In order.
    package let steps: [Step]
    /// Which sizes ``Step/fit`` takes; of no account without it.
    package let subject: Subject

    /// Steps for pictures.
    package init(_ steps: [Step]) {
        self.init(steps, subject: .picture)
    }

    private init(_ steps: [Step], subject: Subject) {
        self.steps = steps
        self.subject = subject
    }

    /// Whether pixels stay what they are.
    package var isNone: Bool { steps.isEmpty }

    /// The same steps for the frames of a clip.
    package func forFrames(of count: Int) -> PicturePreparation {
        PicturePreparation(steps, subject: steps.contains(.fit) ? .frame(of: count) : .picture)
    }

    /// The steps and what they are taken for in one line: what names of prepared pictures are made of.
    package var description: String {
        let words = steps.map { step in
            switch step {
            case .resize(let width, let height): "resize \(width) \(height)"
            case .jpeg(let quality): "jpeg \(quality)"
            case .fit: "fit"
            }
        }
        let subject =
            switch subject {
            case .picture: "picture"
            case .frame(let count): "frame of \(count)"
            }
        return ([subject] + words).joined(separator: "; ")
    }

    /// The prepared picture.
    ///
    /// - Parameter recoded: the pixels of a picture after it was written as a JPEG file of a quality.
    package func prepared<Failure: Error>(
        _ image: RGBImage,
        recoded: (RGBImage, Int) throws(Failure) -> RGBImage
    ) throws(Failure) -> RGBImage {
        var image = image
        for step in steps {
            switch step {
            case .resize(let width, let height):
                image = BicubicResampler.resize(image, width: width, height: height)
            case .jpeg(let quality): image = try recoded(image, quality)
            case .fit: image = fitted(image)
            }
        }
        return image
    }

    private func fitted(_ image: RGBImage) -> RGBImage {
        let (width, height) = (image.width, image.height)
        switch subject {
        case .picture:
            // One out of all proportion is left to the model's family, which refuses it by name.
            guard let size = QwenPictureSizes.picture.size(width: width, height: height) else {
                return image
            }
            return BicubicResampler.resize(image, width: size.width, height: size.height)
        case .frame(let count):
            let sizes = QwenPictureSizes.frame(of: count)
            guard let size = sizes.size(width: width, height: height) else { return image }
            return FloatResampler.resize(image, width: size.width, height: size.height)
        }
    }
}
