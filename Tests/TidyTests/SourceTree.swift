import Foundation

/// The repository's own text files, as the tidy tests read them.
struct SourceTree {
    /// One file: its path from the root of the repository, and its lines.
    struct File {
        let path: String
        let lines: [String]

        var name: String { (path as NSString).lastPathComponent }

        /// The comment lines at the top, where a file says what it is for.
        var firstComment: String {
            lines.prefix { $0.hasPrefix("//") || $0.hasPrefix("--") || $0.hasPrefix("#") }
                .joined(separator: "\n")
        }
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Files under the given folders with one of the given extensions.
    static func files(under folders: [String], extensions: Set<String>) throws -> [File] {
        var files: [File] = []
        for folder in folders {
            let base = root.appending(path: folder)
            guard
                let walker = FileManager.default.enumerator(
                    at: base,
                    includingPropertiesForKeys: nil
                )
            else { continue }
            for case let url as URL in walker where extensions.contains(url.pathExtension) {
                let text = try String(contentsOf: url, encoding: .utf8)
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                files.append(
                    File(
                        path: String(url.path.dropFirst(root.path.count + 1)),
                        lines: lines.map(String.init)
                    )
                )
            }
        }
        return files.sorted { $0.path < $1.path }
    }

    /// Swift of the product, without tests.
    static func product() throws -> [File] {
        try files(under: ["Sources", "ctl", "migrations"], extensions: ["swift"])
    }
}
