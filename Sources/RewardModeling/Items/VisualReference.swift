/// Where that is which an item shows: one picture, or the frames of a clip.
package enum VisualReference: Sendable, Hashable {
    /// A picture.
    case image(MediaReference)
    /// The frames of a video, in the order of time.
    case clip([MediaReference])

    /// How many frames a clip has.
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
        case .video: self = .clip(try Self.frames(value, path: path))
        }
    }

    /// Each file with where it stands in the payload, given where the whole stands.
    package func files(at path: String) -> [(reference: MediaReference, path: String)] {
        switch self {
        case .image(let reference): [(reference, path)]
        case .clip(let frames): frames.enumerated().map { ($1, "\(path).frames[\($0)]") }
        }
    }

    /// The shortest form of the payload that means the same: a picture's, or `{"frames": […]}`.
    package var json: PayloadValue {
        switch self {
        case .image(let reference): reference.json
        case .clip(let frames): .object(["frames": .array(frames.map(\.json))])
        }
    }

    private static func frames(
        _ value: PayloadValue?,
        path: String
    ) throws(RewardModelingError) -> [MediaReference] {
        guard case .object(let fields)? = value, fields.count == 1, let list = fields["frames"]
        else {
            throw .invalidItem(
                "\(path): expected an object with \"frames\", got \(value?.summary ?? "nothing")"
            )
        }
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
