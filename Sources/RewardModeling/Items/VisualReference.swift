import VisionPreprocessing

/// Where that is which an item shows: one picture, the frames of a clip, or a video to take frames from.
package enum VisualReference: Sendable, Hashable {
    /// A picture.
    case image(MediaReference)
    /// The frames of a video, in the order of time.
    case clip([MediaReference])
    /// A video file; which of its frames are shown is the job's choice.
    case video(MediaReference)

    /// How many frames a list may have.
    package static let frameCounts = 2...64

    /// Reads a picture or a clip out of a payload. Throws `.invalidItem` with a sentence led by the
    /// path, such as `candidates[1].frames[3]`.
    package init(
        _ value: PayloadValue?,
        path: String,
        medium: Medium
    ) throws(RewardModelingError) {
        switch medium {
        case .image: self = .image(try MediaReference(value, path: path))
        case .video: try self.init(clip: value, path: path)
        }
    }

    /// Each file in the form in which a view shows it, with where it stands in the payload, given where the
    /// whole stands.
    func requests(
        at path: String,
        in view: MediaView
    ) -> [(request: MediaLoading.Request, path: String)] {
        switch self {
        case .image(let file): [(.image(file, view.preparation), path)]
        case .video(let file): [(.video(file, view), path)]
        case .clip(let frames):
            frames.enumerated().map { place, frame in
                let preparation = view.preparation.forFrames(of: frames.count)
                return (.image(frame, preparation), "\(path).frames[\(place)]")
            }
        }
    }

    /// The shortest form of the payload that means the same: a file's, or `{"frames": […]}`.
    package var json: PayloadValue {
        switch self {
        case .image(let reference), .video(let reference): reference.json
        case .clip(let frames): .object(["frames": .array(frames.map(\.json))])
        }
    }

    private init(clip value: PayloadValue?, path: String) throws(RewardModelingError) {
        if case .object(let fields)? = value, fields.count == 1, let list = fields["frames"] {
            self = .clip(try Self.frames(list, path: path))
        } else {
            self = .video(
                try MediaReference(value, path: path, keys: #""path", "media" or "frames""#)
            )
        }
    }

    private static func frames(
        _ list: PayloadValue,
        path: String
    ) throws(RewardModelingError) -> [MediaReference] {
        guard case .array(let values) = list, frameCounts.contains(values.count) else {
            throw .invalidItem(
                "\(path).frames: expected an array of \(frameCounts.lowerBound) to "
                    + "\(frameCounts.upperBound), got \(list.summary)"
            )
        }
        var frames: [MediaReference] = []
        for (index, frame) in values.enumerated() {
            frames.append(try MediaReference(frame, path: "\(path).frames[\(index)]"))
        }
        return frames
    }
}
