/// The queue in memory: what the manual pages of the SQL functions say, written down a second time, small
/// enough to be read at one sitting. ``ModelCheck`` plays the same operations on both and compares.
///
/// Time is counted in half hours from now, and in ticks, one for each operation: no operation takes a half
/// hour, so the order of any two moments is known without a clock.
struct QueueModel: Sendable {
    /// A moment: half hours from now, then the operation in which it was set.
    struct Moment: Comparable {
        var halves: Int
        var tick: Int

        static func < (one: Moment, other: Moment) -> Bool {
            (one.halves, one.tick) < (other.halves, other.tick)
        }

        /// Whether it has come. A moment now or earlier was set by an earlier operation.
        var isPast: Bool { halves <= 0 }
    }

    /// What a submission is recognised by when its key comes again.
    struct Request: Equatable {
        let items: Int
        let shardSize: Int
        let maxAttempts: Int
    }

    struct Job {
        enum State: String {
            case scheduled, ready, held, running, completed, failed, cancelled
        }

        /// As the database numbered it.
        let number: Int
        let request: Request
        let queue: String
        let priority: Int
        var state: State
        var runAt: Moment
        var deadline: Moment?
        var isHeld = false
        var isCancelRequested = false
        var hasStarted = false
        var done = 0
        var failed = 0
        var shardsTotal: Int

        var hasEnded: Bool { [.completed, .failed, .cancelled].contains(state) }
    }

    struct Shard {
        enum State: String {
            case scheduled, ready, held, running, done, failed, cancelled
        }

        /// The place of its job.
        let job: Int
        let first: Int
        let count: Int
        var state: State
        var runAt: Moment
        var attempts = 0
        var crashes = 0
        var done = 0
        var failed = 0
        var isCancelRequested = false
        /// The lease, nil unless it runs.
        var token: Int?
        /// The place of the daemon that runs it or was the last to.
        var daemon: Int?
        /// As the database numbered it; known after the first look.
        var number = 0

        var missing: Int { count - done - failed }
        var items: Range<Int> { first..<(first + count) }
        var isWaiting: Bool { [.scheduled, .ready, .held].contains(state) }
        var isOpen: Bool { isWaiting || state == .running }
    }

    struct Daemon {
        let number: Int
        var isStopped = false
        var isDraining = false
        var isIdle = false
        /// Its lease has ended, and nobody has noticed.
        var isExpired = false
    }

    /// What a daemon remembers of a claim.
    struct Lease: Equatable {
        let shard: Int
        let token: Int
    }

    /// What became of an item.
    enum Result: Equatable {
        case completed
        /// With its code.
        case failed(String)
    }

    var jobs: [Job] = []
    var shards: [Shard] = []
    var daemons: [Daemon] = []
    var leases: [Lease] = []
    var keys: [String: Int] = [:]
    /// Results by place of the job and item.
    var results: [[Int: Result]] = []
    var fingerprints: Set<String> = []
    var pausedQueues: Set<String> = []
    var tick = 0

    /// The name of the model that every job asks for.
    static let model = "m"
    /// Queues that exist.
    static let queues = ["default", "second"]

    /// This moment, or so many half hours from it.
    func moment(in halves: Int = 0) -> Moment { Moment(halves: halves, tick: tick) }

    /// The places of the shards of a job.
    func shards(of job: Int) -> [Int] { shards.indices.filter { shards[$0].job == job } }

    /// The items of a shard that have no result.
    func openItems(of shard: Int) -> [Int] {
        shards[shard].items.filter { results[shards[shard].job][$0] == nil }
    }

    // MARK: - What several functions do

    /// Ends a job whose last open shard has ended.
    mutating func settle(_ job: Int) {
        let mine = shards(of: job)
        guard !jobs[job].hasEnded, !mine.contains(where: { shards[$0].isOpen }) else { return }
        let done = mine.reduce(0) { $0 + shards[$1].done }
        let failed = mine.reduce(0) { $0 + shards[$1].failed }
        jobs[job].state =
            jobs[job].isCancelRequested
            ? .cancelled : failed == jobs[job].request.items ? .failed : .completed
        jobs[job].isHeld = false
        jobs[job].done = done
        jobs[job].failed = failed
    }

    /// Ends a shard, failing what has no result when a code is given.
    mutating func end(_ shard: Int, _ state: Shard.State, failing code: String? = nil) {
        if let code {
            let open = openItems(of: shard)
            for item in open { results[shards[shard].job][item] = .failed(code) }
            shards[shard].failed += open.count
        }
        shards[shard].state = state
        shards[shard].token = nil
        settle(shards[shard].job)
    }

    /// Gives a shard back to the queue.
    mutating func requeue(_ shard: Int, runAt: Moment, attempts: Int, crashes: Int) {
        shards[shard].state =
            jobs[shards[shard].job].isHeld ? .held : runAt.isPast ? .ready : .scheduled
        shards[shard].token = nil
        shards[shard].isCancelRequested = false
        shards[shard].runAt = runAt
        shards[shard].attempts = attempts
        shards[shard].crashes = crashes
    }

    /// Makes shards of the items of a range that have no result, of neighbours only.
    mutating func openShards(
        of job: Int,
        in range: Range<Int>,
        size: Int,
        attempts: Int,
        crashes: Int,
        runAt: Moment
    ) {
        var pieces: [Range<Int>] = []
        for item in range where results[job][item] == nil {
            if let last = pieces.last, last.upperBound == item, last.count < size {
                pieces[pieces.count - 1] = last.lowerBound..<(item + 1)
            } else {
                pieces.append(item..<(item + 1))
            }
        }
        for piece in pieces {
            var shard = Shard(
                job: job,
                first: piece.lowerBound,
                count: piece.count,
                state: jobs[job].isHeld ? .held : .ready,
                runAt: runAt
            )
            shard.attempts = attempts
            shard.crashes = crashes
            shards.append(shard)
        }
        jobs[job].shardsTotal += pieces.count
    }
}
