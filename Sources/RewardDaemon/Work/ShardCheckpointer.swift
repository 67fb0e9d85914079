import Jobs
import Logging

/// Commits one shard's judgements and results as they come, and says what the database answers.
///
/// A commit starts as soon as something is there, unless another one is under way or began less than
/// ``spacing`` ago; whatever gathers meanwhile goes with the next one. So a judgement of a model that takes
/// its time is committed at once, quick ones share commits, and each waits for at most one commit and the
/// spacing (well under the 200 ms that are promised). The end of the shard waits for no spacing.
actor ShardCheckpointer {
    /// Least time between the beginnings of two commits. A commit costs about as much as thirty judgements
    /// in it, so answers that come faster than this are worth gathering.
    static let spacing = Duration.milliseconds(25)

    /// So many judgements are not gathered any longer: commits of more are hardly cheaper.
    static let fullBatch = 256

    private let queue: JobQueue
    private let lease: ShardLease
    private let onStop: @Sendable (StopReason) -> Void
    private let logger: Logger

    private var judgements: [JudgementRow] = []
    private var results: [ItemResultRow] = []
    private var isCommitting = false
    /// What the database said last; `lost` is final.
    private var reply = CheckpointReply.ok
    /// Why the database refused a commit; final, since repeating it cannot help.
    private(set) var refusal: (any Error)?
    private var waiters: [CheckedContinuation<Void, Never>] = []
    /// When the last commit began.
    private var lastCommit: ContinuousClock.Instant?
    /// Runs while the next commit waits for its time.
    private var pause: Task<Void, Never>?
    private var isSettling = false

    /// - Parameter onStop: called when the database answers `cancel` or `lost`, or refuses a commit.
    init(
        queue: JobQueue,
        lease: ShardLease,
        logger: Logger,
        onStop: @escaping @Sendable (StopReason) -> Void
    ) {
        self.queue = queue
        self.lease = lease
        self.logger = logger
        self.onStop = onStop
    }

    /// Takes a judgement; returns without waiting for the commit.
    func add(_ judgement: JudgementRow) {
        judgements.append(judgement)
        if judgements.count >= Self.fullBatch { pause?.cancel() }
        startCommit()
    }

    /// Takes an item's result; returns without waiting for the commit.
    func add(_ result: ItemResultRow) {
        results.append(result)
        startCommit()
    }

    /// Those judgements of the given fingerprints that were taken and may not be committed yet.
    func pending(_ fingerprints: Set<[UInt8]>) -> [JudgementRow] {
        judgements.filter { fingerprints.contains($0.fingerprint) }
    }

    /// Waits until everything taken is committed, or cannot be; returns the last answer.
    func settle() async -> CheckpointReply {
        isSettling = true
        pause?.cancel()
        while isCommitting {
            await withCheckedContinuation { waiters.append($0) }
        }
        return reply
    }

    private func startCommit() {
        guard !isCommitting, reply != .lost, refusal == nil else { return }
        isCommitting = true
        Task { await commitAll() }
    }

    private func commitAll() async {
        while reply != .lost, refusal == nil, !(judgements.isEmpty && results.isEmpty) {
            await untilDue()
            let (nextJudgements, nextResults) = (judgements, results)
            lastCommit = .now
            do {
                let answer = try await queue.checkpoint(
                    lease,
                    judgements: nextJudgements,
                    results: nextResults
                )
                judgements.removeFirst(nextJudgements.count)
                results.removeFirst(nextResults.count)
                reply = answer
                switch answer {
                case .ok: break
                case .cancel: onStop(.cancelled)
                case .lost: onStop(.leaseLost)
                }
            } catch {
                // The lease is still this daemon's: the runner ends it with a retry.
                logger.error("checkpoint refused", ["error": LogValue(error)])
                refusal = error
                onStop(.abandon)
            }
        }
        isCommitting = false
        isSettling = false
        for waiter in waiters { waiter.resume() }
        waiters = []
    }

    /// Waits until the next commit may begin.
    private func untilDue() async {
        guard let lastCommit, !isSettling, judgements.count < Self.fullBatch else { return }
        let wait = lastCommit + Self.spacing - .now
        guard wait > .zero else { return }
        let pause = Task { _ = try? await Task.sleep(for: wait) }
        self.pause = pause
        await pause.value
        self.pause = nil
    }
}
