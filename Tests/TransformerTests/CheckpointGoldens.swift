import Foundation

/// The committed golden checkpoints, found from this source file.
enum CheckpointGoldens {
    /// `Tests/Goldens/llava_ov`.
    static let path = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Goldens/llava_ov").path

    static func text(_ file: String) throws -> String {
        try String(contentsOf: URL(filePath: path + "/" + file), encoding: .utf8)
    }
}
