import ArgumentParsing
import Glibc

/// Lines of a file or of standard input, read in blocks, with their numbers.
///
/// A UTF-8 byte order mark before the first line and carriage returns before line ends are dropped.
struct LineReader: ~Copyable {
    /// Longer lines are refused rather than collected: 4 MiB.
    static let longestLine = 4 << 20

    /// How messages name the input: the path as given, or `standard input`.
    let name: String
    /// The size of a regular file in bytes; nil for pipes and terminals.
    let totalBytes: Int?
    /// Bytes handed out so far.
    private(set) var bytesRead = 0
    /// The number of the line returned last, starting at 1.
    private(set) var lineNumber = 0

    private let descriptor: Int32
    private var block: [UInt8] = []
    private var position = 0
    private var atEnd = false

    /// Opens `path`; `-` is standard input.
    ///
    /// - Throws: `CommandFailure` when the file cannot be opened.
    init(path: String) throws(CommandFailure) {
        if path == "-" {
            name = "standard input"
            descriptor = STDIN_FILENO
            totalBytes = nil
            return
        }
        let opened = open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else {
            let reason = errno
            throw CommandFailure(
                reason == EACCES ? .permissionDenied : reason == ENOENT ? .notFound : .failure,
                "cannot read '\(path)': \(String(cString: strerror(reason)))."
            )
        }
        var information = stat()
        let isFile = fstat(opened, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
        name = path
        descriptor = opened
        totalBytes = isFile ? Int(information.st_size) : nil
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// The next line without its end, or nil after the last one.
    ///
    /// - Throws: `CommandFailure` when reading fails or a line is too long.
    mutating func next() throws(CommandFailure) -> [UInt8]? {
        var line: [UInt8] = []
        while true {
            if position == block.count {
                guard try fill() else { break }
            }
            let rest = block[position...]
            let end = rest.firstIndex(of: 0x0A)
            line += rest[..<(end ?? rest.endIndex)]
            let consumed = (end.map { $0 + 1 } ?? rest.endIndex) - position
            position += consumed
            bytesRead += consumed
            guard line.count <= Self.longestLine else {
                throw CommandFailure(
                    .usage,
                    """
                    \(name):\(lineNumber + 1): expected lines of at most \(Self.longestLine) bytes, \
                    got a longer one.
                    """
                )
            }
            if end != nil { return finished(line) }
        }
        return line.isEmpty ? nil : finished(line)
    }

    private mutating func finished(_ line: [UInt8]) -> [UInt8] {
        lineNumber += 1
        var line = line
        if lineNumber == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        if line.last == 0x0D { line.removeLast() }
        return line
    }

    private mutating func fill() throws(CommandFailure) -> Bool {
        guard !atEnd else { return false }
        if block.count != 1 << 16 { block = [UInt8](repeating: 0, count: 1 << 16) }
        while true {
            let count = block.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let reason = String(cString: strerror(errno))
                throw CommandFailure(.failure, "cannot read '\(name)': \(reason).")
            }
            position = 0
            if count < block.count { block.removeLast(block.count - count) }
            atEnd = count == 0
            return count > 0
        }
    }
}
