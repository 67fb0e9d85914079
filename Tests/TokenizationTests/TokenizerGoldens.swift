import Foundation

/// The committed golden files, found from this source file.
enum TokenizerGoldens {
    /// `Tests/Goldens`.
    static let path = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Goldens").path

    /// A golden JSON file by its path below `Tests/Goldens`.
    static func decode<Value: Decodable>(_ type: Value.Type, from file: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: path + "/" + file)))
    }

    /// A golden text file.
    static func text(_ file: String) throws -> String {
        try String(contentsOf: URL(filePath: path + "/" + file), encoding: .utf8)
    }
}
