import ArgumentParsing
import Glibc

/// Standard output, collected and written in blocks of 64 KiB.
///
/// Data goes here, messages go to standard error. A reader that closes early, such as `head`, ends
/// the process by SIGPIPE, silently, as for other tools.
final class StandardOutput {
    private var buffer: [UInt8] = []

    /// Adds a line.
    ///
    /// - Throws: `CommandFailure` when writing fails, such as on a full disk.
    func line(_ text: String) throws(CommandFailure) {
        buffer.append(contentsOf: text.utf8)
        buffer.append(0x0A)
        if buffer.count >= 1 << 16 { try flush() }
    }

    /// Writes what was collected.
    ///
    /// - Throws: `CommandFailure` when writing fails.
    func flush() throws(CommandFailure) {
        var start = 0
        while start < buffer.count {
            let written = buffer.withUnsafeBytes { bytes in
                write(STDOUT_FILENO, bytes.baseAddress.map { $0 + start }, bytes.count - start)
            }
            if written < 0, errno == EINTR { continue }
            guard written >= 0 else {
                let reason = String(cString: strerror(errno))
                buffer.removeAll()
                throw CommandFailure(.failure, "cannot write to standard output: \(reason).")
            }
            start += written
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
