import Glibc
import Synchronization

/// The armed fail points of this process: at the n-th pass of an edge the process does to itself what a
/// fault from outside would.
///
/// ``none`` is what every process has that was not told otherwise; a pass then costs one test of a constant.
package final class FailPoints: Sendable {
    /// What happens.
    package enum Action: Sendable, Equatable {
        /// SIGKILL to itself.
        case kill
        /// SIGSTOP to itself, all threads, until somebody sends SIGCONT.
        case stop
        /// The thread that passes sleeps; the others go on.
        case stall(seconds: Double)

        /// As in ``FailPointList``.
        package var text: String {
            switch self {
            case .kill: "kill"
            case .stop: "stop"
            case .stall(let seconds): "stall:\(seconds)s"
            }
        }
    }

    /// When what happens.
    package struct Trigger: Sendable, Equatable {
        /// What happens.
        package let action: Action
        /// At which pass, counted from 1; once.
        package let pass: Int

        /// A trigger.
        package init(_ action: Action, pass: Int = 1) {
            self.action = action
            self.pass = pass
        }
    }

    /// Nothing armed.
    package static let none = FailPoints([:]) { _, _ in }

    private let isArmed: Bool
    private let triggers: [FailPoint: Trigger]
    private let passes = Mutex<[FailPoint: Int]>([:])
    private let announce: @Sendable (FailPoint, Action) -> Void

    /// Arms some.
    ///
    /// - Parameter announce: Called right before an action, on the thread that passes.
    package init(
        _ triggers: [FailPoint: Trigger],
        announce: @escaping @Sendable (FailPoint, Action) -> Void
    ) {
        self.triggers = triggers
        self.announce = announce
        isArmed = !triggers.isEmpty
    }

    /// The work has come to this edge. Returns at once unless it is armed and this is the pass it waits for.
    package func pass(_ point: FailPoint) {
        if isArmed { spring(point) }
    }

    private func spring(_ point: FailPoint) {
        guard let trigger = triggers[point] else { return }
        let count = passes.withLock { passes in
            passes[point, default: 0] += 1
            return passes[point, default: 0]
        }
        guard count == trigger.pass else { return }
        announce(point, trigger.action)
        switch trigger.action {
        case .kill: kill(getpid(), SIGKILL)
        case .stop: kill(getpid(), SIGSTOP)
        case .stall(let seconds): usleep(UInt32(seconds * 1_000_000))
        }
    }
}
