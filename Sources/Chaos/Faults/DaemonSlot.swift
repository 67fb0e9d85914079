package import FailPoints

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
        /// It killed or froze itself at its fail point, as it was to.
        case sprung(Trap)
        /// Send SIGKILL: a drain that does not end.
        case giveUp
        /// Somebody else than the run killed it, asked it to stop (`drain`) or stopped it (`freeze`).
        case outside(FaultKind)
        /// The process ended by itself, and should not have, or not so.
        case complain(status: Int32)
    }

    /// A fail point that the process was started with.
    package struct Trap: Sendable, Equatable {
        /// What its process does to itself there.
        package enum Effect: Sendable, Equatable {
            case kill
            case freeze
        }

        /// Where.
        package let point: FailPoint
        /// At which pass.
        package let pass: Int
        /// What happens there.
        package let effect: Effect
        /// Seconds until it is started again, or goes on.
        package let seconds: Double

        /// A trap.
        package init(point: FailPoint, pass: Int, effect: Effect, seconds: Double) {
            self.point = point
            self.pass = pass
            self.effect = effect
            self.seconds = seconds
        }

        /// What arms it in the environment of a process.
        var setting: String {
            FailPointList.text([
                point: FailPoints.Trigger(effect == .kill ? .kill : .stop, pass: pass)
            ])
        }
    }

    /// Longest time a drain may take: the grace of the daemons, and what it takes a starved machine.
    package static let drainLimit = 60.0

    /// Where it is.
    package private(set) var state: State = .down(until: 0)
    /// The trap of the process that runs, until it is sprung or the process ends.
    package private(set) var trap: Trap?
    /// Set while a process is frozen by its trap that had been asked to stop.
    private var interruptedDrain: Double?
    /// Set while it is stopped by somebody else than the run.
    private var isStoppedFromOutside = false

    private var isFrozen: Bool {
        if case .frozen = state { return true }
        return false
    }

    /// A daemon that is to be started at once.
    package init() {}

    /// Whether it is there to be killed, frozen or drained.
    package var isRunning: Bool { state == .running }

    /// It was started, perhaps with a trap.
    package mutating func started(trap: Trap? = nil) {
        state = .running
        self.trap = trap
    }

    /// It was killed and has ended; to be started again after `pause`.
    package mutating func killed(at now: Double, pause: Double) {
        state = .down(until: now + pause)
        trap = nil
        interruptedDrain = nil
    }

    /// It was stopped by SIGSTOP.
    package mutating func frozen(until: Double) {
        if state == .running { state = .frozen(until: until) }
    }

    /// It was asked to stop; to be started again `pause` after its end.
    package mutating func drained(at now: Double, pause: Double) {
        if state == .running { state = .draining(since: now, pause: pause) }
    }

    /// What follows from the time, and from what was seen of the process.
    ///
    /// - Parameters:
    ///   - status: Its exit status, negative for a signal; nil while it lives.
    ///   - isStopped: Whether all its threads are stopped.
    ///   - wasAsked: Whether it says that it was asked to stop.
    package mutating func tick(
        at now: Double,
        exited status: Int32?,
        isStopped: Bool = false,
        wasAsked: Bool = false
    ) -> Action {
        if let trap, status == -9 && trap.effect == .kill {
            state = .down(until: now + trap.seconds)
            self.trap = nil
            return .sprung(trap)
        }
        if let trap, status == nil && isStopped && trap.effect == .freeze && !isFrozen {
            if case .draining(_, let pause) = state { interruptedDrain = pause }
            state = .frozen(until: now + trap.seconds)
            self.trap = nil
            return .sprung(trap)
        }
        if let status { return ended(status, wasAsked: wasAsked, at: now) }
        switch state {
        case .down(let until):
            return now >= until ? .start : .none
        case .frozen(let until):
            guard now >= until else { return .none }
            state = interruptedDrain.map { .draining(since: now, pause: $0) } ?? .running
            interruptedDrain = nil
            return .resume
        case .draining(let since, _):
            return now - since > Self.drainLimit ? .giveUp : .none
        case .running:
            let isNew = isStopped && !isStoppedFromOutside
            isStoppedFromOutside = isStopped
            return isNew ? .outside(.freeze) : .none
        }
    }

    /// No daemon sends itself SIGKILL or SIGTERM, so these come from somebody else, as an operator or the
    /// kernel that is out of memory.
    private mutating func ended(_ status: Int32, wasAsked: Bool, at now: Double) -> Action {
        trap = nil
        interruptedDrain = nil
        isStoppedFromOutside = false
        var pause = 1.0
        var isDraining = wasAsked
        if case .draining(_, let given) = state { (pause, isDraining) = (given, true) }
        let wasRunning = state == .running
        state = .down(until: now + pause)
        switch status {
        case 0 where isDraining: return wasRunning ? .outside(.drain) : .none
        case -9, -15: return .outside(.kill)
        default: return .complain(status: status)
        }
    }
}
