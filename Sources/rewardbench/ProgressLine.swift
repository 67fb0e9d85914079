import ArgumentParsing
import Glibc

/// A bar on standard error that shows how far something is; nothing when that is no terminal.
///
/// It is drawn at most ten times a second.
final class ProgressLine {
    private let title: String
    private let columns: Int?
    private let start = ContinuousClock.now
    private var drawn: ContinuousClock.Instant?

    /// A bar with a title before it.
    init(_ title: String) {
        self.title = title
        columns = TerminalSize.columns(STDERR_FILENO)
    }

    /// Shows that `done` of `total` are finished.
    func show(_ done: Int, of total: Int, _ note: String = "") {
        guard let columns, total > 0 else { return }
        let now = ContinuousClock.now
        if done < total, let drawn, drawn.duration(to: now) < .milliseconds(100) { return }
        drawn = now
        let share = Double(min(max(done, 0), total)) / Double(total)
        let filled = Int((share * 24).rounded(.down))
        let bar =
            "[" + String(repeating: "█", count: filled)
            + String(repeating: "░", count: 24 - filled) + "]"
        var line = "\(title)  \(bar)  \(done)/\(total)  \(Int(share * 100)) %"
        let elapsed = start.duration(to: now) / .seconds(1)
        if done > 0, done < total {
            line += "  \(Self.clock(elapsed / share - elapsed)) left"
        }
        if !note.isEmpty { line += "  \(note)" }
        ConsoleText.error("\r\u{1B}[K" + String(line.prefix(max(columns - 1, 1))))
    }

    /// Takes the bar away.
    func clear() {
        if columns != nil { ConsoleText.error("\r\u{1B}[K") }
    }

    /// Seconds as "1:05".
    static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        let rest = whole % 60
        return "\(whole / 60):\(rest < 10 ? "0" : "")\(rest)"
    }
}
