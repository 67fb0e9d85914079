/// The database's answer to a checkpoint.
package enum CheckpointReply: String, Sendable {
    /// Stored; go on.
    case ok
    /// Stored, but the job was cancelled: stop, and finish the shard with `release`.
    case cancel
    /// Nothing stored: the lease is gone. Drop the work.
    case lost
}

/// How a daemon ends its lease of a shard.
package enum FinishOutcome: Sendable, Equatable {
    /// Every item has a result.
    case done
    /// Given back; the attempt does not count. For shutdown and cancel.
    case release(reason: String?)
    /// Something passing went wrong: ready again after the delay, until the attempts are used up.
    case retry(reason: String, after: Duration)
    /// Trying again cannot help: the items without a result fail.
    case fail(reason: String)
}

/// The database's answer to the end of a lease.
package enum FinishReply: String, Sendable {
    case ok
    /// The job was cancelled: the shard is over.
    case cancel
    /// Nothing written: the lease was gone before.
    case lost
    /// The lease is gone, and the answer to an earlier attempt was lost with the connection: that
    /// attempt ended the lease, or the shard was taken away meanwhile. Either way it is over for
    /// this daemon.
    case unknown
}

/// The database's answer to a heartbeat.
package enum HeartbeatReply: String, Sendable {
    case ok
    /// Finish what runs, then stop.
    case drain
    /// Stopped or found dead: the leases are gone, register again.
    case unknown
}

/// What a daemon announces of itself.
package struct DaemonRegistration: Sendable, Equatable {
    package var host: String
    package var processID: Int32
    package var version: String
    package var models: [String]
    package var queues: [String]

    package init(
        host: String,
        processID: Int32,
        version: String,
        models: [String],
        queues: [String]
    ) {
        self.host = host
        self.processID = processID
        self.version = version
        self.models = models
        self.queues = queues
    }
}
