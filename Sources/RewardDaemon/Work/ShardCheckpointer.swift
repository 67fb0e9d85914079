import Jobs
import Logging

/// Commits one shard's judgements and results as they come, and says what the database answers.
///
/// A commit starts as soon as something is there and no other commit is under way; whatever gathers
/// meanwhile goes with the next one. So a judgement waits for at most one commit before its own (a few
/// milliseconds, well under the 200 ms that are promised), and quick judgements share commits.
actor ShardCheckpointer {
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
        startCommit()
    }

    /// Takes an item's result; returns without waiting for the commit.
    func add(_ result: ItemResultRow) {
        results.append(result)
        startCommit()
    }

    /// A judgement that was taken and may not be committed yet.
    func pending(_ fingerprint: [UInt8]) -> JudgementRow? {
        judgements.first { $0.fingerprint == fingerprint }
    }

    /// Waits until everything taken is committed, or cannot be; returns the last answer.
    func settle() async -> CheckpointReply {
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
            let (nextJudgements, nextResults) = (judgements, results)
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
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
