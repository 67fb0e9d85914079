import FoundationEssentials
import Hashing
import Inference
import MediaDecoding
import VisionPreprocessing

/// Images read from files, decoded the way the daemon decodes them.
struct MediaFolder {
    /// Names are looked up in here.
    let directory: String
    private let decoder = ImageDecoder(limits: MediaLimits())

    init(directory: String) {
        self.directory = directory
    }

    /// The picture in file `name`.
    func image(_ name: String) throws -> RGBImage {
        try Self.decode(path: "\(directory)/\(name)", with: decoder).image
    }

    /// The picture in the file at `path`, and the digest of its bytes.
    static func image(path: String) throws -> EngineImage {
        try decode(path: path, with: ImageDecoder(limits: MediaLimits()))
    }

    private static func decode(path: String, with decoder: ImageDecoder) throws -> EngineImage {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        return EngineImage(digest: SHA256.digest(bytes), image: try decoder.decode(bytes))
    }
}
