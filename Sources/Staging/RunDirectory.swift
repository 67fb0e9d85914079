import FoundationEssentials
import Glibc

/// Directories that a run makes and takes away again.
package enum RunDirectory {
    /// A new directory whose name starts with `prefix`, open to others for reading.
    package static func make(prefix: String) throws -> String {
        guard let name = strdup(prefix + "XXXXXX") else {
            throw ChildProcess.Failure(description: "\(prefix): out of memory")
        }
        defer { free(name) }
        guard mkdtemp(name) != nil else {
            throw ChildProcess.Failure(
                description: "\(prefix): \(String(cString: strerror(errno)))"
            )
        }
        chmod(name, 0o755)
        return String(cString: name)
    }

    /// Makes a directory of a given name, which must not exist or be empty.
    package static func make(exactly path: String) throws {
        if mkdir(path, 0o755) == 0 { return }
        let reason = errno
        let content = try? FileManager.default.contentsOfDirectory(atPath: path)
        guard reason == EEXIST, content?.isEmpty == true else {
            throw ChildProcess.Failure(
                description: "\(path): expected a new or empty directory, got "
                    + (reason == EEXIST
                        ? "one with files in it" : String(cString: strerror(reason)))
            )
        }
    }

    /// Removes a directory with all that is in it.
    package static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }
}
