import Foundation
import Testing

@testable import Transformer

/// The committed checkpoints of the Qwen-VL families.
enum QwenGoldens {
    static let families = ["qwen2_5_vl", "qwen3_vl"]

    /// `Tests/Goldens/<family>/<path>`.
    static func path(_ family: String, _ path: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Goldens/\(family)/\(path)").path
    }

    static func text(_ family: String, _ path: String) throws -> String {
        try String(contentsOf: URL(filePath: Self.path(family, path)), encoding: .utf8)
    }
}
