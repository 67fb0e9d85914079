import FoundationEssentials
import Glibc
import VisionPreprocessing

@testable import MediaDecoding

/// The clips under Tests/Goldens/video, and what decord or PyAV reads in them.
enum VideoGoldens {
    /// What the reference reads in a clip.
    struct Answer: Decodable {
        let width: Int
        let height: Int
        let rate: Double
        /// CRC-32 of the RGB bytes of each frame.
        let frames: [UInt32]
    }

    /// By name, sorted.
    static let clips: [(String, Answer)] =
        (try? JSONDecoder().decode(
            [String: Answer].self,
            from: Data(DecodingGoldens.bytes("video/frames.json"))
        )).map { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } } ?? []

    static let names = clips.map(\.0)

    /// Names of the hostile files that are small enough to keep.
    static let hostile: [String] =
        ((try? FileManager.default.contentsOfDirectory(
            atPath: DecodingGoldens.path("video/hostile")
        )) ?? []).sorted()

    static func bytes(_ name: String) throws -> [UInt8] {
        try DecodingGoldens.bytes("video/\(name)")
    }

    /// Whether videos can be read on this machine; without ffmpeg the tests that need it are passed over.
    static let isAvailable = VideoDecoder.missingPrograms().isEmpty
    static let excuse = "ffmpeg is not installed and could not be: deploy/install-packages"

    /// A clip that ffmpeg makes, of what its test sources draw. Throws what it said when it could not.
    static func made(_ arguments: [String], as suffix: String) throws -> [UInt8] {
        let path = "/tmp/rewardd-clip-\(UInt64.random(in: 0...UInt64.max)).\(suffix)"
        defer { unlink(path) }
        let words = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi"] + arguments + [path]
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { pointers.forEach { free($0) } }
        var child = pid_t(0)
        let status = posix_spawn(&child, "/usr/bin/ffmpeg", nil, nil, &pointers, environ)
        var ending: Int32 = -1
        while status == 0, waitpid(child, &ending, 0) < 0, errno == EINTR {}
        guard status == 0, ending == 0 else { throw NotMade(words: words) }
        return [UInt8](try Data(contentsOf: URL(filePath: path)))
    }

    struct NotMade: Error {
        let words: [String]
    }
}
