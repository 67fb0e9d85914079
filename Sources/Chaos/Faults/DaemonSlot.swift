/// The life of one daemon of a run under its faults, without processes or clocks: times are seconds since
/// the start of the run, processes are somebody else's.
///
/// ``DaemonFleet`` does what it says and tells it what it saw.
package struct DaemonSlot: Sendable, Equatable {
    /// Where the daemon is; who may become what.
    package enum State: Sendable, Equatable {
        /// Not running until then. May become `running`.
        case down(until: Double)
        /// May become `down` (killed), `frozen` or `draining`.
        case running
        /// Stopped by SIGSTOP. May become `running`, or `down` (killed).
        case frozen(until: Double)
        /// Asked to stop. May become `down`: ended by itself, killed, or given up.
        case draining(since: Double, pause: Double)
    }

    /// What to do now.
    package enum Action: Sendable, Equatable {
        case none
        /// Start the process.
        case start
        /// Send SIGCONT.
        case resume
        /// Send SIGKILL: a drain that does not end.
        case giveUp
        /// The process ended by itself, and should not have, or not so.
        case complain(status: Int32)
    }

    /// Longest time a drain may take: the grace of the daemons, and what it takes a starved machine.
    package static let drainLimit = 60.0

    /// Where it is.
    package private(set) var state: State = .down(until: 0)

    /// A daemon that is to be started at once.
    package init() {}

    /// Whether it is there to be killed, frozen or drained.
    package var isRunning: Bool { state == .running }

    /// It was started.
    package mutating func started() { state = .running }

    /// It was killed and has ended; to be started again after `pause`.
    package mutating func killed(at now: Double, pause: Double) {
        state = .down(until: now + pause)
    }

    /// It was stopped by SIGSTOP.
    package mutating func frozen(until: Double) {
        if state == .running { state = .frozen(until: until) }
    }

    /// It was asked to stop; to be started again `pause` after its end.
    package mutating func drained(at now: Double, pause: Double) {
        if state == .running { state = .draining(since: now, pause: pause) }
    }

    /// What follows from the time, and from the end of the process when it was seen: its exit status,
    /// negative for a signal.
    package mutating func tick(at now: Double, exited status: Int32?) -> Action {
        if let status {
            if case .draining(_, let pause) = state {
                state = .down(until: now + pause)
                return status == 0 ? .none : .complain(status: status)
            }
            state = .down(until: now + 1)
            return .complain(status: status)
        }
        switch state {
        case .down(let until):
            return now >= until ? .start : .none
        case .frozen(let until):
            guard now >= until else { return .none }
            state = .running
            return .resume
        case .draining(let since, _):
            return now - since > Self.drainLimit ? .giveUp : .none
        case .running:
            return .none
        }
    }
}
