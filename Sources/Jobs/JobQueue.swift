package import FailPoints
package import Postgres
import Synchronization

/// The queue as a daemon sees it: one method for each function of schema `rewardd` that role
/// `rewardd_work` may call.
///
/// Calls that are safe to repeat are repeated until the database answers or the calling task is
/// cancelled; each method says whether it is one of them. Errors are `PostgresError`, `JobsError`
/// or `CancellationError`.
package struct JobQueue: Sendable {
    /// The connection all calls go through.
    package let session: Session

    /// Where a test may have this process die; see `FailPoints`.
    package let failPoints: FailPoints

    let retry: RetryPolicy

    package init(
        session: Session,
        retry: RetryPolicy = .untilCancelled,
        failPoints: FailPoints = .none
    ) {
        self.session = session
        self.retry = retry
        self.failPoints = failPoints
    }

    // MARK: - Shards

    /// Leases up to `maximum` shards (1…1000) to the daemon. Tried once.
    ///
    /// The claim is committed only after its rows have arrived. When the connection breaks during
    /// that commit, each lease is looked up, so that no shard can stay leased to this daemon
    /// without its knowledge.
    package func claim(
        daemonID: Int64,
        models: [String],
        queues: [String],
        maximum: Int
    ) async throws -> [ClaimedShard] {
        let claim = try await session.run { connection in
            var shards: [ClaimedShard] = []
            do {
                try connection.transaction { connection in
                    shards = try connection.execute(
                        ClaimedShard.claimQuery(
                            daemonID: daemonID,
                            models: models,
                            queues: queues,
                            maximum: maximum
                        )
                    ).map { try ClaimedShard($0) }
                    if !shards.isEmpty { failPoints.pass(.claimBeforeCommit) }
                }
                if !shards.isEmpty { failPoints.pass(.claimAfter) }
                return Claim(shards: shards, isCertain: true)
            } catch let error as PostgresError where error.kind == .commitUnknown {
                return Claim(shards: shards, isCertain: false)
            }
        }
        guard !claim.isCertain else { return claim.shards }
        var held: [ClaimedShard] = []
        for shard in claim.shards
        where try await checkpoint(shard.lease, judgements: [], results: []) != .lost {
            held.append(shard)
        }
        return held
    }

    /// Stores what is finished of a shard, durably once this returns. Repeated: judgements are
    /// keyed by fingerprint and results by item, so storing them again changes nothing.
    package func checkpoint(
        _ lease: ShardLease,
        judgements: [JudgementRow],
        results: [ItemResultRow]
    ) async throws -> CheckpointReply {
        var writer = JSONWriter(omitsNulls: true)
        writer.array(judgements) { writer, row in row.write(to: &writer) }
        let judgementsJSON = writer.bytes
        writer = JSONWriter(omitsNulls: true)
        writer.array(results) { writer, row in row.write(to: &writer) }
        let resultsJSON = writer.bytes
        return try await session.withRetry(retry) { connection in
            failPoints.pass(.checkpointBeforeCommit)
            let row = try connection.execute(
                """
                SELECT rewardd.checkpoint(shard_id => \(lease.shardID),
                    lease_token => \(lease.token), judgements => \(json: judgementsJSON),
                    item_results => \(json: resultsJSON)) AS reply
                """
            ).only()
            failPoints.pass(.checkpointAfter)
            return try reply(row.text("reply"), of: "checkpoint", expected: "ok, cancel or lost")
        }
    }

    /// Ends the lease. Repeated; see `FinishReply.unknown` for what that can mean.
    package func finish(_ lease: ShardLease, _ outcome: FinishOutcome) async throws -> FinishReply {
        let arguments = FinishArguments(outcome)
        let doubt = Doubt()
        let answer: FinishReply = try await session.withRetry(retry) { connection in
            do {
                failPoints.pass(.finishBeforeCommit)
                let row = try connection.execute(
                    """
                    SELECT rewardd.finish_shard(shard_id => \(lease.shardID),
                        lease_token => \(lease.token), outcome => \(arguments.outcome),
                        error => \(arguments.error),
                        retry_in => make_interval(secs => \(arguments.seconds))) AS reply
                    """
                ).only()
                failPoints.pass(.finishAfter)
                return try reply(
                    row.text("reply"),
                    of: "finish_shard",
                    expected: "ok, cancel or lost"
                )
            } catch let error as PostgresError where error.isConnectionLost {
                doubt.raise()
                throw error
            }
        }
        return answer == .lost && doubt.isRaised ? .unknown : answer
    }

    /// The daemon's running shards whose job was cancelled. Tried once.
    package func cancelledShards(daemonID: Int64) async throws -> [Int64] {
        try await session.run { connection in
            try connection.execute(
                "SELECT s AS shard_id FROM rewardd.cancelled_shards(daemon_id => \(daemonID)) AS s"
            ).map { try $0.int64("shard_id") }
        }
    }
}

/// What came of one attempt to claim.
private struct Claim: Sendable {
    let shards: [ClaimedShard]
    /// False when the answer to COMMIT was lost.
    let isCertain: Bool
}

/// Set once an attempt may have taken effect without an answer.
private final class Doubt: Sendable {
    private let flag = Atomic(false)

    var isRaised: Bool { flag.load(ordering: .acquiring) }

    func raise() { flag.store(true, ordering: .releasing) }
}

/// `FinishOutcome` as the function's arguments.
private struct FinishArguments: Sendable {
    let outcome: String
    var error: String?
    /// The wait before the next attempt, in seconds.
    var seconds: Double = 0

    init(_ outcome: FinishOutcome) {
        switch outcome {
        case .done:
            self.outcome = "done"
        case .release(let reason):
            self.outcome = "release"
            error = reason
        case .retry(let reason, let delay):
            self.outcome = "retry"
            error = reason
            seconds = delay / .seconds(1)
        case .fail(let reason):
            self.outcome = "fail"
            error = reason
        }
        // Reasons quote what a model or a file said; text in the database holds no NUL.
        error = error?.replacing("\0", with: "\u{fffd}")
    }
}

/// Reads a function's one-word answer.
func reply<Reply: RawRepresentable<String>>(
    _ word: String,
    of function: String,
    expected: String
) throws(JobsError) -> Reply {
    guard let reply = Reply(rawValue: word) else {
        throw .unexpectedReply(function: function, expected: expected, got: word)
    }
    return reply
}
