package import Hashing
package import Inference
package import VisionPreprocessing

/// Where one file is: an item's picture or video, or a frame of its clip.
package enum MediaReference: Sendable, Hashable {
    /// A path under one of the daemon's media roots.
    case path(String)
    /// Bytes stored in the database, named by their SHA-256.
    case stored(Digest)

    /// Reads a file's place out of a payload: a string, `{"path": …}` or `{"media": …}`. Throws
    /// `.invalidItem` with a sentence led by the path.
    ///
    /// - Parameter keys: The keys of objects that may stand there, for the sentence.
    package init(
        _ value: PayloadValue?,
        path: String,
        keys: String = #""path" or "media""#
    ) throws(RewardModelingError) {
        switch value {
        case .string(let file)?:
            self = .path(try Self.file(file, path: path))
            return
        case .object(let fields)? where fields.count == 1:
            if case .string(let file)? = fields["path"] {
                self = .path(try Self.file(file, path: "\(path).path"))
                return
            }
            if case .string(let hex)? = fields["media"] {
                guard let digest = Digest(hex: hex) else {
                    throw .invalidItem(
                        "\(path).media: expected the 64 hexadecimal digits of a SHA-256, "
                            + "got the string \(quoted(hex))"
                    )
                }
                self = .stored(digest)
                return
            }
        default: break
        }
        throw .invalidItem(
            "\(path): expected a string or an object with \(keys), got "
                + "\(value?.summary ?? "nothing")"
        )
    }

    private static func file(
        _ name: String,
        path: String
    ) throws(RewardModelingError) -> String {
        guard !name.isEmpty else {
            throw .invalidItem("\(path): expected the path of a file, got an empty string")
        }
        return name
    }

    /// The shortest form of the payload that means the same: a string, or `{"media": "…"}`.
    package var json: PayloadValue {
        switch self {
        case .path(let path): .string(path)
        case .stored(let digest): .object(["media": .string(digest.hex)])
        }
    }
}

/// Reads and decodes pictures. The daemon's reads files below its roots and the `media` table.
package protocol MediaProvider: Sendable {
    /// The decoded picture, prepared. An error conforming to `CodedError` fails the item; any other is
    /// rethrown.
    ///
    /// Pictures of one digest have the same pixels: it covers the file and what was done to it.
    func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage

    /// The frames of a video that a view has, decoded and prepared. Errors as for a picture.
    ///
    /// Clips of one digest have the same frames: it covers the file, the indices and the preparation.
    func video(_ reference: MediaReference, _ view: MediaView) async throws -> EngineClip
}

extension MediaProvider {
    /// Refuses every video: for providers of pictures alone.
    package func video(_ reference: MediaReference, _ view: MediaView) async throws -> EngineClip {
        throw RewardModelingError.invalidItem(
            "expected a list of frames, got a video: \(reference.json.json)"
        )
    }

    /// The decoded picture as it is.
    package func image(_ reference: MediaReference) async throws -> EngineImage {
        try await image(reference, .none)
    }

    /// The frames of a video that the sampler chooses, as they are.
    package func video(
        _ reference: MediaReference,
        _ sampler: FrameSampler
    ) async throws -> EngineClip {
        try await video(reference, MediaView(sampler: sampler))
    }
}
