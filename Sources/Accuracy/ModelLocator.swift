import Foundation

/// Finds a model's directory by its name.
package struct ModelLocator: Sendable {
    /// Folders that hold model directories, in the order they are looked in.
    package let folders: [String]

    /// Looks in `folders` for directories that hold a config.json.
    package init(folders: [String]) {
        self.folders = folders
    }

    /// The folders for an executable: `$REWARDD_MODELS`; `share/rewardd/models` beside the folder of
    /// the executable, where an installation has it; and `deploy/models` of each folder from the
    /// executable's upwards, where a build in a checkout finds it.
    package init(executable: String, environment: [String: String]) {
        var folders: [String] = []
        if let folder = environment["REWARDD_MODELS"], !folder.isEmpty { folders.append(folder) }
        var folder = URL(filePath: executable).standardizedFileURL.deletingLastPathComponent()
        folders.append(folder.deletingLastPathComponent().path + "/share/rewardd/models")
        while true {
            folders.append((folder.path == "/" ? "" : folder.path) + "/deploy/models")
            guard folder.path != "/" else { break }
            folder = folder.deletingLastPathComponent()
        }
        self.init(folders: folders)
    }

    /// For the executable that is running.
    package static func current() -> ModelLocator {
        let executable = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/self/exe"
        )
        return ModelLocator(
            executable: executable ?? CommandLine.arguments.first ?? "",
            environment: ProcessInfo.processInfo.environment
        )
    }

    /// The directory of a model, given by its name or as a directory.
    ///
    /// A text with a slash is a directory and looked up nowhere. A name that is found nowhere may be a
    /// directory of the current folder.
    ///
    /// - Throws: ``AccuracyError/modelNotFound(name:looked:)``.
    package func directory(of name: String) throws(AccuracyError) -> String {
        var candidates = folders.map { "\($0)/\(name)" }
        if name.contains("/") { candidates = [] }
        candidates.append(name)
        if !name.isEmpty, let found = candidates.first(where: Self.isModel) { return found }
        throw .modelNotFound(name: name, looked: candidates.map { "\($0)/config.json" })
    }

    private static func isModel(_ directory: String) -> Bool {
        FileManager.default.fileExists(atPath: directory + "/config.json")
    }
}
