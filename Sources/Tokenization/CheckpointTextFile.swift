import Glibc
import JSONReading

/// A small file of a checkpoint directory (tokenizer.json, chat_template.json, …), read whole.
package struct CheckpointTextFile {
    /// The largest tokenizer.json in use is about 20 MB; more is not a tokenizer.
    package static let maximumByteCount = 128 << 20

    /// The file's name, as errors show it.
    package let name: String
    /// All of it.
    package let bytes: [UInt8]

    /// Nil when the file does not exist.
    /// Throws `unreadableFile` when it exists but is not a readable regular file of at most
    /// `maximumByteCount` bytes.
    package static func readIfPresent(
        directory: String,
        name: String,
        maximumByteCount: Int = CheckpointTextFile.maximumByteCount
    ) throws(TokenizationError) -> CheckpointTextFile? {
        let path = directory + "/" + name
        // O_NONBLOCK: opening a FIFO must not hang.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 {
            if errno == ENOENT { return nil }
            throw .unreadableFile(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadableFile(path: path, reason: "expected a regular file")
        }
        guard status.st_size <= maximumByteCount else {
            throw .unreadableFile(
                path: path,
                reason: "expected at most \(maximumByteCount) bytes, got \(status.st_size)"
            )
        }
        return CheckpointTextFile(
            name: name,
            bytes: try read(descriptor, byteCount: Int(status.st_size), path: path)
        )
    }

    /// As `readIfPresent`, but a missing file is an error.
    static func read(
        directory: String,
        name: String
    ) throws(TokenizationError) -> CheckpointTextFile {
        guard let file = try readIfPresent(directory: directory, name: name) else {
            throw .unreadableFile(
                path: directory + "/" + name,
                reason: "no such file"
            )
        }
        return file
    }

    func parsed() throws(TokenizationError) -> JSONNode {
        try Self.parse(bytes, file: name)
    }

    /// Reads a whole JSON document; `file` is the name put into errors.
    static func parse(_ bytes: [UInt8], file: String) throws(TokenizationError) -> JSONNode {
        do throws(JSONSyntaxError) {
            return try JSONReader.read(bytes)
        } catch {
            throw .malformedJSON(file: file, offset: error.offset, reason: error.message)
        }
    }

    private static func read(
        _ descriptor: Int32,
        byteCount: Int,
        path: String
    ) throws(TokenizationError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
            while count < byteCount, let base = buffer.baseAddress {
                let received = Glibc.read(descriptor, base + count, byteCount - count)
                if received < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    return
                }
                if received == 0 { return }
                count += received
            }
        }
        if failure != 0 {
            throw .unreadableFile(path: path, reason: String(cString: strerror(failure)))
        }
        return bytes
    }
}
