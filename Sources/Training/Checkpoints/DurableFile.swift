#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that appears under its name whole or not at all.
///
/// Written as `path.tmp`, flushed to the disk, then renamed; until then what stood under the name is
/// untouched. A file that is not committed is removed.
final class DurableFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    private var pending: [UInt8] = []
    private static let bufferByteCount = 1 << 20

    /// Creates `path.tmp`, replacing one that an interrupted writer left.
    ///
    /// - Throws: ``TrainingError/unwritableFile(path:reason:)``.
    init(path: String) throws(TrainingError) {
        self.path = path
        temporary = path + ".tmp"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(temporary) }
        pending.reserveCapacity(Self.bufferByteCount)
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    /// Appends bytes.
    ///
    /// - Throws: ``TrainingError/unwritableFile(path:reason:)``, for instance on a full disk.
    func write(_ bytes: UnsafeRawBufferPointer) throws(TrainingError) {
        if pending.count + bytes.count > Self.bufferByteCount { try flush() }
        if bytes.count >= Self.bufferByteCount {
            try writeAll(bytes)
        } else {
            pending.append(contentsOf: bytes)
        }
    }

    /// Makes the file durable and gives it its name.
    ///
    /// - Throws: ``TrainingError/unwritableFile(path:reason:)``.
    func commit() throws(TrainingError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw Self.failure(temporary) }
        let closing = descriptor
        descriptor = -1
        // A network file system may report a failed write only here.
        guard close(closing) == 0, rename(temporary, path) == 0 else {
            let failure = Self.failure(path)
            unlink(temporary)
            throw failure
        }
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try Self.flushDirectory(parent.isEmpty ? "/" : parent)
    }

    /// Makes the names in a directory durable.
    ///
    /// - Throws: ``TrainingError/unwritableFile(path:reason:)``.
    static func flushDirectory(_ path: String) throws(TrainingError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw failure(path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw failure(path) }
    }

    /// The sentence for the present `errno`.
    static func failure(_ path: String) -> TrainingError {
        .unwritableFile(path: path, reason: String(cString: strerror(errno)))
    }

    private func flush() throws(TrainingError) {
        guard !pending.isEmpty else { return }
        var failed: TrainingError?
        pending.withUnsafeBytes { bytes in
            do throws(TrainingError) { try writeAll(bytes) } catch { failed = error }
        }
        if let failed { throw failed }
        pending.removeAll(keepingCapacity: true)
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(TrainingError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            #if canImport(Darwin)
                let count = Darwin.write(descriptor, base + done, bytes.count - done)
            #elseif canImport(Musl)
                let count = Musl.write(descriptor, base + done, bytes.count - done)
            #else
                let count = Glibc.write(descriptor, base + done, bytes.count - done)
            #endif
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.failure(temporary)
            }
            done += count
        }
    }
}
