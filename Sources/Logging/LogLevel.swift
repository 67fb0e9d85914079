/// How much a line matters. `error` is for what a person should act on; one `info` line per
/// finished job.
package enum LogLevel: String, Sendable, Comparable, CaseIterable {
    case debug
    case info
    case notice
    case warning
    case error

    /// The priority that systemd reads from a `<N>` prefix (syslog(3): 3 = error … 7 = debug).
    package var syslogPriority: Int {
        switch self {
        case .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        }
    }

    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.syslogPriority > right.syslogPriority
    }
}
