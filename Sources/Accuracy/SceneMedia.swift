import Hashing
package import Inference
package import RewardModeling
import SyntheticScenes
package import VisionPreprocessing

/// Rendered pictures under made-up paths, as the judging code asks for them.
///
/// A picture's digest is that of the PPM file that its path names, which is never written.
package struct SceneMedia: MediaProvider {
    private var images: [String: EngineImage] = [:]

    /// The pictures of one group: frames by the number of the variant, nil for those not shown.
    /// - name: begins the paths; pictures of different groups must not share it.
    init(name: String, frames: [[ScenePicture]?]) throws {
        for (variant, pictures) in frames.enumerated() {
            for (frame, picture) in (pictures ?? []).enumerated() {
                let side = picture.side
                var hash = SHA256()
                hash.update("P6\n\(side) \(side)\n255\n".utf8)
                hash.update(picture.pixels)
                images[Self.path(name, variant, frame)] = EngineImage(
                    digest: hash.digest(),
                    image: try RGBImage(width: side, height: side, pixels: picture.pixels)
                )
            }
        }
    }

    /// One of the pictures, as it is: the templates of scenes prepare nothing.
    package func image(
        _ reference: MediaReference,
        _ preparation: PicturePreparation
    ) async throws -> EngineImage {
        guard preparation.isNone else {
            throw RewardModelingError.invalidItem(
                "media: expected a template that shows pictures as they are, got one that prepares them"
            )
        }
        guard case .path(let path) = reference, let image = images[path] else {
            throw RewardModelingError.invalidItem(
                "media: expected a rendered picture, got \(reference.json.json)"
            )
        }
        return image
    }

    /// The field of a payload that shows a variant: a path, or the paths of so many frames.
    static func reference(_ name: String, variant: Int, frames: Int?) -> PayloadValue {
        guard let frames else { return .string(path(name, variant, 0)) }
        return .object([
            "frames": .array((0..<frames).map { .string(path(name, variant, $0)) })
        ])
    }

    private static func path(_ name: String, _ variant: Int, _ frame: Int) -> String {
        "\(name)/\(variant)-\(frame).ppm"
    }
}
