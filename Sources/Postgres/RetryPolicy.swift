/// Which errors pass by themselves, and how long to wait before the next attempt: between 0 and a
/// bound that doubles from `base` to `maximum` ("full jitter", so that daemons that lost the same
/// server do not return together).
package struct RetryPolicy: Sendable {
    /// The bound of the first wait.
    package var base: Duration
    /// The bound of every later wait.
    package var maximum: Duration
    /// Attempts in all, the first included; nil means until it succeeds or the task is cancelled.
    package var attempts: Int?

    package init(
        base: Duration = .milliseconds(100),
        maximum: Duration = .seconds(5),
        attempts: Int? = nil
    ) {
        self.base = base
        self.maximum = maximum
        self.attempts = attempts
    }

    /// 0.1 s doubling to 5 s, without end: for what a daemon must get done.
    package static let untilCancelled = RetryPolicy()

    /// The bound of the wait after the given attempt, counted from 1.
    package func bound(afterAttempt attempt: Int) -> Duration {
        var bound = base
        for _ in 1..<max(1, min(attempt, 64)) {
            bound = bound * 2
            if bound >= maximum { return maximum }
        }
        return min(bound, maximum)
    }

    /// A wait after the given attempt, counted from 1.
    package func delay(
        afterAttempt attempt: Int,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        bound(afterAttempt: attempt) * Double.random(in: 0..<1, using: &generator)
    }

    /// True when the same statement can succeed later without anybody changing it: connection lost,
    /// serialization failure and deadlock (class 40), lock not available, resources short (53),
    /// operator intervention (57).
    package static func isRetryable(_ error: any Error) -> Bool {
        guard let error = error as? PostgresError else { return false }
        if error.isConnectionLost { return true }
        guard let state = error.sqlState else { return false }
        return ["08", "40", "53", "57"].contains(state.classCode) || state == .lockNotAvailable
    }
}
