import Glibc

/// A regular file mapped read-only for as long as this object lives. Its pages are the kernel's
/// cache, shared by every process that maps the same checkpoint.
///
/// The size is taken from the open descriptor, so all offsets can be checked before the first
/// access. A file which somebody truncates after that cannot be defended against with mmap: reading
/// the lost pages raises SIGBUS. Replace checkpoints by renaming a new directory into place.
// @unchecked Sendable because the mapping is read-only and its address never changes.
package final class MappedFile: @unchecked Sendable {
    /// The path it was opened by.
    package let path: String
    /// The whole content; valid while this object lives.
    package let bytes: UnsafeRawBufferPointer

    /// Maps the file. Throws `unreadableFile` when it cannot be opened, is not a regular file or is
    /// empty.
    package init(path: String) throws(CheckpointError) {
        // O_NONBLOCK: opening a FIFO must not hang.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw .unreadableFile(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadableFile(path: path, reason: "expected a regular file")
        }
        let byteCount = Int(status.st_size)
        guard byteCount > 0 else {
            throw .unreadableFile(path: path, reason: "expected content, got an empty file")
        }
        let address = mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw .unreadableFile(
                path: path,
                reason: "cannot map it: \(String(cString: strerror(errno)))"
            )
        }
        self.path = path
        bytes = UnsafeRawBufferPointer(start: address, count: byteCount)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
    }

    /// Whether a path leads to anything at all.
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }
}
