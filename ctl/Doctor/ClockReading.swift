import Glibc

/// The server's clock, read between two looks at this machine's; all in seconds since 1970.
struct ClockReading {
    let before: Double
    let server: Double
    let after: Double

    /// How far clocks may be apart that are kept by NTP.
    static let tolerance = 1.0

    /// This machine's clock.
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// How far the server's clock is ahead of this machine's.
    var skew: Double { server - (before + after) / 2 }

    /// The skew, when it is more than the time of the reading explains.
    var findings: [Finding] {
        guard abs(skew) > Self.tolerance + (after - before) / 2 else { return [] }
        return [
            Finding(
                severity: .warning,
                check: "clock",
                subject: "clock of the database server",
                expected: "within \(Examination.age(Self.tolerance)) of this machine's",
                found: "\(Examination.age(abs(skew))) \(skew < 0 ? "behind" : "ahead of") it",
                remedy: """
                    Let both machines keep time by NTP. Leases, retries and schedules go by the \
                    server's clock alone, so no work is lost; but times that people compare, such \
                    as those of logs, are wrong on one side.
                    """
            )
        ]
    }
}
