import Synchronization

/// Which daemon this process is, and whether it may still trust its leases.
///
/// The database decides who is dead, by its own clock. This side only has to be more careful: when no
/// heartbeat was confirmed for `trust` (three seconds less than the lease), it fences itself, which
/// means that no further item is started until a heartbeat is confirmed again. Time is measured on the
/// monotonic clock.
package final class LeaseClock: Sendable {
    private struct State {
        var daemonID: Int64?
        var confirmedAt: ContinuousClock.Instant?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    /// How long a confirmed heartbeat is trusted: the lease of 15 s less 3 s.
    package static let trust: Duration = .seconds(12)

    private let state = Mutex(State())
    private let clock = ContinuousClock()

    package init() {}

    /// This daemon's id, nil before the first registration.
    package var daemonID: Int64? {
        state.withLock { $0.daemonID }
    }

    /// True when a heartbeat was confirmed recently enough to start work under a lease.
    package var isLive: Bool {
        let now = clock.now
        return state.withLock { state in
            state.confirmedAt.map { now - $0 < LeaseClock.trust } ?? false
        }
    }

    /// The database confirmed a heartbeat that was sent at `sentAt` for this daemon.
    package func confirmed(daemonID: Int64, sentAt: ContinuousClock.Instant) {
        let waiters = state.withLock { state in
            state.daemonID = daemonID
            state.confirmedAt = sentAt
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// The database does not know this daemon any more: its leases went to others.
    package func lost() {
        state.withLock { $0.confirmedAt = nil }
    }

    /// Lets every waiter go, because the process is stopping.
    package func releaseWaiters() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns at once while the daemon is live, else when the next heartbeat is confirmed.
    package func untilLive() async {
        if isLive { return }
        await withCheckedContinuation { continuation in
            let now = clock.now
            let goOn = state.withLock { state in
                if let at = state.confirmedAt, now - at < LeaseClock.trust { return true }
                state.waiters.append(continuation)
                return false
            }
            if goOn { continuation.resume() }
        }
    }
}
