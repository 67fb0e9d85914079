import ArgumentParsing
import Glibc

/// A new file, written in blocks of 64 KiB and synchronised when it is closed.
final class FileHandleWriter {
    private let path: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []

    /// Makes the file.
    ///
    /// - Throws: `CommandFailure` when it cannot be made, such as for lack of rights.
    init(_ path: String) throws(CommandFailure) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0 { throw Self.failure(path) }
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Adds text.
    func write(_ text: String) throws(CommandFailure) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Writes what is left; the bytes are on the disk afterwards.
    func close() throws(CommandFailure) {
        guard descriptor >= 0 else { return }
        try flush()
        let failed = fsync(descriptor) != 0
        _ = Glibc.close(descriptor)
        descriptor = -1
        if failed { throw Self.failure(path) }
    }

    /// Makes a file of these bytes.
    static func write(_ bytes: [UInt8], to path: String) throws(CommandFailure) {
        let file = try FileHandleWriter(path)
        file.buffer = bytes
        try file.close()
    }

    private func flush() throws(CommandFailure) {
        var start = 0
        while start < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + start }, bytes.count - start)
            }
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else { throw Self.failure(path) }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private static func failure(_ path: String) -> CommandFailure {
        CommandFailure(.failure, "\(path): cannot write: \(String(cString: strerror(errno))).")
    }
}
