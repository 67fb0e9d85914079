import Synchronization

/// The workers of a daemon as one: judging, and training where it is configured, each with slots of
/// its own, so that a training never takes the place of a judging shard.
final class WorkerGroup: Sendable {
    private let workers: [Worker]

    /// - Parameter make: makes the worker of each duty; what it is given must be called when the
    ///   worker's drain is complete.
    /// - Parameter onStopped: called once, when the drain of all is complete.
    init<Duty>(
        _ duties: [Duty],
        onStopped: @escaping @Sendable () -> Void,
        make: (Duty, @escaping @Sendable () -> Void) -> Worker
    ) {
        let left = Countdown(duties.count)
        workers = duties.map { duty in
            make(duty) { if left.step() { onStopped() } }
        }
    }

    /// Shards that run now.
    var runningCount: Int {
        get async {
            var count = 0
            for worker in workers { count += await worker.runningCount }
            return count
        }
    }

    /// Work may have arrived.
    func wake() async {
        for worker in workers { await worker.wake() }
    }

    /// Looks for jobs that were cancelled while their shards run here.
    func checkCancelled() async {
        for worker in workers { await worker.checkCancelled() }
    }

    /// Every lease went to others: stop at once and write nothing more.
    func leasesLost() async {
        for worker in workers { await worker.leasesLost() }
    }

    /// Claim nothing more, let what is in flight end, give the rest back.
    func drain() async {
        for worker in workers { await worker.drain() }
    }

    /// Stop what is in flight at its next step; its shards are given back.
    func abandon() async {
        for worker in workers { await worker.abandon() }
    }
}

/// Counts to zero, from any thread.
private final class Countdown: Sendable {
    private let left: Mutex<Int>

    init(_ count: Int) {
        left = Mutex(count)
    }

    /// One less; true for the last.
    func step() -> Bool {
        left.withLock { left in
            left -= 1
            return left == 0
        }
    }
}
