import ArgumentParsing
import FoundationEssentials
import Glibc

/// What the two output streams can show.
struct Terminal: Sendable {
    /// Columns of standard output, or nil when it is a file or a pipe.
    let outputColumns: Int?
    /// Columns of standard error, or nil when it is a file or a pipe.
    let messageColumns: Int?
    /// Whether standard output may be coloured: a terminal, and NO_COLOR is not set.
    let hasColour: Bool

    /// The streams of this process.
    static func current(environment: [String: String]) -> Terminal {
        let columns = TerminalSize.columns(STDOUT_FILENO)
        let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return Terminal(
            outputColumns: columns,
            messageColumns: TerminalSize.columns(STDERR_FILENO),
            hasColour: columns != nil && !refused && environment["TERM"] != "dumb"
        )
    }

    /// Writes one line to standard error.
    func message(_ text: String) {
        writeError(text + "\n")
    }

    /// Replaces the line that the cursor is on; only for terminals.
    func status(_ text: String) {
        guard let messageColumns else { return }
        writeError("\r\u{1B}[K" + DisplayWidth.truncate(text, to: messageColumns - 1))
    }

    /// Removes the line written by `status`.
    func clearStatus() {
        if messageColumns != nil { writeError("\r\u{1B}[K") }
    }

    /// The name of a state in its colour: green for well, red for failed, yellow for stopped.
    func coloured(state: String) -> String {
        guard hasColour else { return state }
        let code: String
        switch state {
        case "completed", "active", "idle": code = "32"
        case "failed", "dead": code = "31"
        case "cancelled", "paused", "draining": code = "33"
        case "running", "busy": code = "36"
        default: return state
        }
        return "\u{1B}[\(code)m\(state)\u{1B}[0m"
    }

    private func writeError(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }
}
