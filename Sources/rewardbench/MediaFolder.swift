import FoundationEssentials
import Glibc
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

    /// A file that is not there.
    private struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    private static func decode(path: String, with decoder: ImageDecoder) throws -> EngineImage {
        guard let data = FileManager.default.contents(atPath: path) else {
            let reason =
                access(path, R_OK) == 0 ? "it cannot be read" : String(cString: strerror(errno))
            throw Unreadable(description: "\(path): expected a picture, got none: \(reason).")
        }
        let bytes = [UInt8](data)
        return EngineImage(digest: SHA256.digest(bytes), image: try decoder.decode(bytes))
    }
}
