import CSystemd
import Glibc

/// Tells the service manager how the daemon does: READY, STATUS, STOPPING and WATCHDOG
/// (sd_notify(3)). Without NOTIFY_SOCKET, as in a terminal, every call does nothing.
package enum ServiceNotify {
    /// Start-up is over: `systemctl start` returns.
    package static func ready(status: String) {
        send("READY=1\nSTATUS=\(oneLine(status))")
    }

    /// One line for `systemctl status`.
    package static func status(_ text: String) {
        send("STATUS=\(oneLine(text))")
    }

    /// The daemon is draining.
    package static func stopping() {
        send("STOPPING=1\nSTATUS=draining")
    }

    /// The daemon is alive; must be said more often than the watchdog period.
    package static func watchdog() {
        send("WATCHDOG=1")
    }

    /// The period within which the manager wants to hear `watchdog()`, or nil when it does not.
    package static func watchdogPeriod() -> Duration? {
        var microseconds: UInt64 = 0
        guard sd_watchdog_enabled(0, &microseconds) > 0, microseconds > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }

    private static func send(_ message: String) {
        _ = sd_notify(0, message)
    }

    /// A line break would start another assignment.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }
}
