/// The exit statuses of `rewardd`, after sysexits.h, so that systemd can tell what restarting helps.
package enum DaemonExitCode: Int32, Sendable {
    /// Stopped as asked.
    case stopped = 0
    /// The command line cannot be understood.
    case usage = 64
    /// A program that decodes media is missing.
    case unavailable = 69
    /// An error nobody foresaw.
    case bug = 70
    /// A setting, a model or the database's schema cannot be used.
    case configuration = 78
}

/// Why the daemon did not start.
package struct DaemonStartError: Error, CustomStringConvertible, Sendable {
    package let exitCode: DaemonExitCode
    package let description: String
}
