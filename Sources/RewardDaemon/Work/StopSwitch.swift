import Synchronization

/// Why a running shard stops before its last item.
package enum StopReason: Sendable, Equatable {
    /// The daemon drains: end the item that is being judged, give the rest back.
    case drain
    /// The grace period is over: stop within one engine step, give the rest back.
    case abandon
    /// Somebody cancelled the job: stop within one engine step.
    case cancelled
    /// The lease is gone: stop within one engine step and write nothing more.
    case leaseLost
}

/// Carries the request to stop from whoever decides it to the task that runs the shard.
///
/// The strongest reason wins (drain < abandon < cancelled < leaseLost): a shard that is draining can
/// still be cancelled.
package final class StopSwitch: Sendable {
    private struct State {
        var reason: StopReason?
        var task: Task<Void, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    /// The strongest reason so far, nil while nobody asked to stop.
    package var reason: StopReason? {
        state.withLock { $0.reason }
    }

    /// Says which task to cancel; cancels it at once when a reason for that came earlier.
    package func attach(_ task: Task<Void, Never>) {
        let cancelNow = state.withLock { state in
            state.task = task
            return state.reason.map { $0 != .drain } ?? false
        }
        if cancelNow { task.cancel() }
    }

    /// Asks to stop. Every reason but `drain` cancels the task.
    package func stop(_ reason: StopReason) {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard rank(reason) > state.reason.map(rank) ?? -1 else { return nil }
            state.reason = reason
            return reason == .drain ? nil : state.task
        }
        task?.cancel()
    }

    private func rank(_ reason: StopReason) -> Int {
        switch reason {
        case .drain: 0
        case .abandon: 1
        case .cancelled: 2
        case .leaseLost: 3
        }
    }
}
