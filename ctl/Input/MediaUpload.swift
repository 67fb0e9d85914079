import ArgumentParsing
import Glibc
import JSONReading
import Postgres

/// Stores the image and video files that items name in the database and names them by digest instead.
struct MediaUpload {
    /// Larger files are refused, as the daemon would: 64 MiB.
    static let largestFile = 64 << 20

    let rules: MediaPaths
    let api: SQLAPI

    /// The items as one JSON array, every path replaced by `{"media": "<sha256>"}`. Each file is
    /// sent once, however many items name it.
    ///
    /// - Throws: `CommandFailure` with file and line for one that cannot be read;
    ///   `PostgresError` when it cannot be stored.
    func replacePaths(of items: ItemsFile, _ terminal: Terminal) throws -> [UInt8] {
        var digests: [String: String] = [:]
        var json = [UInt8(ascii: "[")]
        for (index, line) in items.lineNumbers.enumerated() {
            guard let item = try? JSONReader.read(Array(items.item(index))) else { continue }
            let replaced = try rules.replacing(item) { path in
                if let digest = digests[path] { return digest }
                let digest = try api.putMedia(
                    Self.read(path, place: "\(items.name):\(line)")
                )
                digests[path] = digest
                terminal.status(
                    "Uploading \(ProgressBar.bar(done: Int64(index), total: items.count))  "
                        + NumberText.counted(Int64(digests.count), "file")
                )
                return digest
            }
            if index > 0 { json.append(UInt8(ascii: ",")) }
            json.append(contentsOf: replaced.json.utf8)
        }
        terminal.clearStatus()
        return json + [UInt8(ascii: "]")]
    }

    private static func read(_ path: String, place: String) throws(CommandFailure) -> [UInt8] {
        func failure(_ code: Int32) -> CommandFailure {
            CommandFailure(
                .usage,
                "\(place): cannot read '\(path)': \(String(cString: strerror(code)))."
            )
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(errno) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else { throw failure(errno) }
        let size = Int(information.st_size)
        guard information.st_mode & S_IFMT == S_IFREG, size <= Self.largestFile else {
            throw CommandFailure(
                .usage,
                """
                \(place): '\(path)': expected a file of at most \(Self.largestFile) bytes, got \
                \(size) bytes or something that is not a file.
                """
            )
        }
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, size - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(count < 0 ? errno : EIO) }
            filled += count
        }
        return bytes
    }
}
