/// Decides what a stop request means, from the first signal to the end of the process.
///
/// Pure: the shell (`Daemon`) feeds it signals, the passing of the grace period and the end of work,
/// and performs the action that comes back.
package struct ShutdownStateMachine: Sendable {
    /// Where the daemon stands.
    package enum State: Sendable, Equatable {
        /// Claims and runs. Can become draining.
        case running
        /// Claims nothing, lets items that are being judged end. Can become cancelling or stopped.
        case draining
        /// Stops items at the next engine step. Can become stopped.
        case cancelling
        /// Nothing runs any more. Final.
        case stopped
    }

    /// What the shell does next.
    package enum Action: Sendable, Equatable {
        /// Stop claiming, give back what has not started, and start the grace period.
        case drain
        /// Cancel what is still being judged; its shards are given back.
        case cancelWork
        /// Leave with exit status 0.
        case exit
        case none
    }

    package private(set) var state: State = .running

    package init() {}

    /// SIGTERM or SIGINT arrived. The first drains, a second one does not wait for the grace period.
    package mutating func stopRequested() -> Action {
        switch state {
        case .running:
            state = .draining
            return .drain
        case .draining:
            state = .cancelling
            return .cancelWork
        case .cancelling, .stopped:
            return .none
        }
    }

    /// The grace period has passed.
    package mutating func graceEnded() -> Action {
        guard state == .draining else { return .none }
        state = .cancelling
        return .cancelWork
    }

    /// No shard runs any more.
    package mutating func workEnded() -> Action {
        switch state {
        case .running, .stopped:
            return .none
        case .draining, .cancelling:
            state = .stopped
            return .exit
        }
    }
}
