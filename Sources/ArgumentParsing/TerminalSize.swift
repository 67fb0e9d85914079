import Glibc

/// How wide the terminal behind a file descriptor is.
package enum TerminalSize {
    /// Whether a file descriptor is a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// Columns of the terminal behind `descriptor`, or nil when it is a file or a pipe. A terminal that
    /// does not know its width, such as a recorder's, counts as 80 columns wide.
    package static func columns(_ descriptor: Int32) -> Int? {
        guard isTerminal(descriptor) else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
