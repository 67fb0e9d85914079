import Glibc

/// Writes each line to standard error in one write(2), so that lines of several threads never mix.
package struct StandardErrorSink: LogSink {
    private let prefix: LogLine.Prefix

    /// Under systemd (`JOURNAL_STREAM` is set) lines carry the `<N>` priority prefix and no time.
    package init() {
        self.init(prefix: getenv("JOURNAL_STREAM") == nil ? .timestamp : .journal)
    }

    /// A sink with a fixed form of line, whatever the environment says.
    package init(prefix: LogLine.Prefix) {
        self.prefix = prefix
    }

    package func write(_ line: LogLine) {
        var text = line.formatted(prefix: prefix)
        text += "\n"
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let start = rest.baseAddress, !rest.isEmpty {
                let written = Glibc.write(STDERR_FILENO, start, rest.count)
                if written < 0 && errno == EINTR { continue }
                // A standard error that cannot be written leaves nobody to tell.
                guard written > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
        }
    }
}
