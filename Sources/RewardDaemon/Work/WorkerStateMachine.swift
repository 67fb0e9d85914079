/// Decides when to claim, from free slots, wake-ups and the drain.
///
/// Pure: no clock, no database, no tasks. The shell is `Worker`. It never asks for more shards than
/// can start at once, so that nothing waits under a lease while another daemon is idle.
package struct WorkerStateMachine: Sendable {
    /// What the shell does next.
    package enum Action: Sendable, Equatable {
        /// Claim at most this many shards.
        case claim(Int)
        /// Everything has ended and nothing will be claimed.
        case stopped
        case none
    }

    private enum Phase: Equatable {
        /// Claims whenever slots are free. Can become draining.
        case working
        /// Claims nothing; running shards end. Can become ended.
        case draining
        /// Said `stopped` once. Final.
        case ended
    }

    private let slots: Int
    private var phase: Phase = .working
    private var running = 0
    private var isClaiming = false
    private var wokenWhileClaiming = false

    /// A worker with this many shards at once, at least one.
    package init(slots: Int) {
        self.slots = max(1, slots)
    }

    /// Shards that run now.
    package var runningCount: Int { running }

    /// True from the drain on.
    package var isDraining: Bool { phase != .working }

    /// Work may have arrived: a notification or the poll.
    package mutating func woken() -> Action {
        if isClaiming {
            wokenWhileClaiming = true
            return .none
        }
        return claimIfPossible()
    }

    /// A claim came back with this many shards. Fewer than asked for means the queue is empty.
    package mutating func claimed(_ count: Int) -> Action {
        isClaiming = false
        running += count
        let again = wokenWhileClaiming || count > 0
        wokenWhileClaiming = false
        if phase == .draining { return stopIfEmpty() }
        return again ? claimIfPossible() : .none
    }

    /// A claim failed; the next poll tries again.
    package mutating func claimFailed() -> Action {
        isClaiming = false
        wokenWhileClaiming = false
        return phase == .draining ? stopIfEmpty() : .none
    }

    /// A shard ended, however.
    package mutating func shardEnded() -> Action {
        precondition(running > 0, "a shard ended that never started")
        running -= 1
        return phase == .draining ? stopIfEmpty() : woken()
    }

    /// Claim nothing more.
    package mutating func drain() -> Action {
        guard phase == .working else { return .none }
        phase = .draining
        return stopIfEmpty()
    }

    private mutating func claimIfPossible() -> Action {
        guard phase == .working, running < slots else { return .none }
        isClaiming = true
        return .claim(slots - running)
    }

    private mutating func stopIfEmpty() -> Action {
        guard phase == .draining, running == 0, !isClaiming else { return .none }
        phase = .ended
        return .stopped
    }
}
