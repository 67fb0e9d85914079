import CLimitedProcess
import Glibc

/// The directories a job's files may be read from.
///
/// A path is followed to its end first (`realpath`), must then lie under a root, and is opened below
/// that root without following any link (`openat2`), so a link swapped in between leads nowhere.
/// About what lies outside the roots nothing is told, not even whether it is there.
package struct MediaRoots: Sendable {
    /// As configured; resolved anew at every read, because disks come and go.
    package let roots: [String]

    /// With no root no file can be read.
    package init(_ roots: [String]) {
        self.roots = roots
    }

    /// The bytes of the regular file at an absolute path.
    package func read(path: String, limits: MediaLimits) throws(MediaError) -> [UInt8] {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw .outsideRoots(
                "path \(quoted(path)): expected an absolute path under a media root."
            )
        }
        let resolvedRoots = roots.compactMap { Self.resolve($0).path }
        guard !resolvedRoots.isEmpty else { throw outside(path) }
        guard let resolved = Self.resolve(path).path else {
            throw whyUnresolved(path, resolvedRoots: resolvedRoots)
        }
        guard let root = resolvedRoots.first(where: { Self.contains(resolved, in: $0) }) else {
            throw outside(path)
        }
        let descriptor = try open(resolved, beneath: root, path: path)
        defer { close(descriptor) }
        return try contents(of: descriptor, path: path, limits: limits)
    }

    // MARK: - Resolving

    private static func resolve(_ path: String) -> (path: String?, error: Int32) {
        guard let resolved = realpath(path, nil) else { return (nil, errno) }
        defer { free(resolved) }
        return (String(cString: resolved), 0)
    }

    /// Whether a resolved path is below (or is) a resolved root.
    private static func contains(_ path: String, in root: String) -> Bool {
        root == "/" || path == root || path.hasPrefix(root + "/")
    }

    /// The error for a path that leads nowhere.
    ///
    /// "Not found" is told only when every existing part of the path lies under a root, so that a link
    /// to the outside tells nothing about its target.
    private func whyUnresolved(_ path: String, resolvedRoots: [String]) -> MediaError {
        let error = Self.resolve(path).error
        var parts = path.split(separator: "/")
        while let missing = parts.popLast() {
            guard let ancestor = Self.resolve("/" + parts.joined(separator: "/")).path else {
                continue
            }
            guard resolvedRoots.contains(where: { Self.contains(ancestor, in: $0) }) else { break }
            var information = stat()
            let isLink =
                lstat("\(ancestor)/\(missing)", &information) == 0
                && information.st_mode & S_IFMT == S_IFLNK
            if isLink { break }
            return error == EACCES ? denied(path) : missingFile(path)
        }
        return outside(path)
    }

    // MARK: - Opening and reading

    private func open(
        _ resolved: String,
        beneath root: String,
        path: String
    ) throws(MediaError) -> Int32 {
        let directory = Glibc.open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw errno == EACCES ? denied(path) : missingFile(path) }
        defer { close(directory) }
        var relative = resolved.dropFirst(root == "/" ? 1 : root.count + 1)
        if relative.isEmpty { relative = "." }
        var descriptor = limited_process_open_beneath(directory, String(relative))
        if descriptor == -ENOSYS || descriptor == -EPERM {
            descriptor = Self.openWithoutBeneath(resolved)
        }
        guard descriptor >= 0 else {
            switch -descriptor {
            case EACCES, EPERM: throw denied(path)
            case ENOENT, ENOTDIR: throw missingFile(path)
            case ELOOP, EXDEV: throw outside(path)
            case ENXIO, ENODEV: throw notRegular(path)
            default:
                throw .unreadable(
                    "file \(quoted(path)): cannot be opened: "
                        + "\(String(cString: strerror(-descriptor)))."
                )
            }
        }
        return descriptor
    }

    /// For kernels and containers without `openat2`: open, then ask the kernel what was opened.
    private static func openWithoutBeneath(_ resolved: String) -> Int32 {
        let descriptor = Glibc.open(
            resolved,
            O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW
        )
        guard descriptor >= 0 else { return -errno }
        guard resolve("/proc/self/fd/\(descriptor)").path == resolved else {
            close(descriptor)
            return -EXDEV
        }
        return descriptor
    }

    private func contents(
        of descriptor: Int32,
        path: String,
        limits: MediaLimits
    ) throws(MediaError) -> [UInt8] {
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            throw notRegular(path)
        }
        try limits.check(fileBytes: Int(information.st_size), subject: "file \(quoted(path))")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(information.st_size))
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw .unreadable(
                    "file \(quoted(path)): cannot be read: \(String(cString: strerror(errno)))."
                )
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
            // It may grow while it is read.
            try limits.check(fileBytes: bytes.count, subject: "file \(quoted(path))")
        }
    }

    // MARK: - Messages

    private func outside(_ path: String) -> MediaError {
        .outsideRoots(
            roots.isEmpty
                ? "path \(quoted(path)): expected a path under a media root, but none is configured."
                : "path \(quoted(path)): expected a path under a media root, got one that leads "
                    + "elsewhere."
        )
    }

    private func missingFile(_ path: String) -> MediaError {
        .notFound("file \(quoted(path)): expected a file, got nothing there.")
    }

    private func denied(_ path: String) -> MediaError {
        .unreadable("file \(quoted(path)): permission denied. Let the daemon's user read it.")
    }

    private func notRegular(_ path: String) -> MediaError {
        .unreadable("file \(quoted(path)): expected a regular file, got something else.")
    }

    /// User text in quotes, cut to a length for messages.
    private func quoted(_ path: String) -> String {
        path.count <= 300 ? "'\(path)'" : "'\(path.prefix(300))…'"
    }
}
