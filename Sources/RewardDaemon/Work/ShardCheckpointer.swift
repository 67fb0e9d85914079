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
    private let onReply: @Sendable (CheckpointReply) -> Void
    private let logger: Logger

    private var judgements: [JudgementRow] = []
    private var results: [ItemResultRow] = []
    private var isCommitting = false
    private var commit: Task<Void, Never>?
    /// What the database said last; `lost` is final.
    private var reply = CheckpointReply.ok
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// - Parameter onReply: called when the database answers `cancel` or `lost`.
    init(
        queue: JobQueue,
        lease: ShardLease,
        logger: Logger,
        onReply: @escaping @Sendable (CheckpointReply) -> Void
    ) {
        self.queue = queue
        self.lease = lease
        self.logger = logger
        self.onReply = onReply
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

    /// Stops repeating a commit that the database does not answer. What is not committed is dropped;
    /// the shard is rescued when the lease ends.
    func abandon() {
        commit?.cancel()
    }

    private func startCommit() {
        guard !isCommitting, reply != .lost else { return }
        isCommitting = true
        commit = Task { await commitAll() }
    }

    private func commitAll() async {
        while reply != .lost, !(judgements.isEmpty && results.isEmpty), !Task.isCancelled {
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
                if answer != .ok { onReply(answer) }
            } catch is CancellationError {
                break
            } catch {
                // The database understood and refused: repeating cannot help, so the lease is given up
                // and the shard runs again elsewhere.
                logger.error("checkpoint refused", ["error": LogValue(error)])
                reply = .lost
                onReply(.lost)
            }
        }
        isCommitting = false
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}
