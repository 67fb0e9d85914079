/// An edge of a daemon's work at which a test may have it die or freeze.
///
/// Each lies where a crash costs most: between what the database knows and what the daemon knows.
package enum FailPoint: String, CaseIterable, Sendable {
    /// The rows of a claim have arrived, and its transaction is open.
    case claimBeforeCommit = "claim.before_commit"
    /// Shards are claimed, and nothing of them is begun.
    case claimAfter = "claim.after"
    /// A question is about to be put to the engine.
    case answerBefore = "answer.before"
    /// An answer is there, and nobody else knows it.
    case answerAfter = "answer.after"
    /// A checkpoint is about to be sent. It is one statement and commits itself.
    case checkpointBeforeCommit = "checkpoint.before_commit"
    /// A checkpoint is committed and its answer has arrived.
    case checkpointAfter = "checkpoint.after"
    /// The end of a lease is about to be sent. It is one statement and commits itself.
    case finishBeforeCommit = "finish.before_commit"
    /// The end of a lease is committed and its answer has arrived.
    case finishAfter = "finish.after"
    /// The daemon has a number, and only the database knows it.
    case registerAfter = "register.after"
    /// A heartbeat is about to be sent.
    case heartbeatBefore = "heartbeat.before"
    /// A heartbeat is committed, and the daemon's own clock of the lease does not know it.
    case heartbeatAfter = "heartbeat.after"
    /// The daemon is about to look for dead ones.
    case rescueBefore = "rescue.before"
    /// The daemon has looked for dead ones.
    case rescueAfter = "rescue.after"
}
