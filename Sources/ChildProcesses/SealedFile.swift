import CLimitedProcess
import Glibc

/// Bytes in a file that has no name and cannot change, for child processes to read: a regular file, which
/// can be read from any place, as some containers ask. Closed when the last reference goes.
package final class SealedFile: Sendable {
    let descriptor: Int32

    /// Copies the bytes. Throws when the system has no memory for them.
    package init(_ bytes: [UInt8]) throws(LimitedProcess.StartError) {
        let file = bytes.withUnsafeBytes { limited_process_memory_file($0.baseAddress, $0.count) }
        guard file >= 0 else {
            throw LimitedProcess.StartError(
                message: "memfd_create: \(String(cString: strerror(-file)))."
            )
        }
        descriptor = file
    }

    deinit { close(descriptor) }
}
