import Foundation

/// A directory with the given files, removed when this object goes.
final class TemporaryDirectory {
    let path: String

    init(_ files: [String: String]) throws {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "tokenization-\(UUID().uuidString)"
        )
        path = url.path
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        for (name, text) in files {
            try Data(text.utf8).write(to: url.appending(path: name))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
