/// What can be done to the queue from outside.
package enum FaultKind: String, CaseIterable, Sendable {
    /// A daemon is killed outright (SIGKILL) and started again.
    case kill
    /// A daemon is stopped (SIGSTOP) until its lease is over, then goes on (SIGCONT).
    case freeze
    /// A daemon is asked to stop (SIGTERM), must end with status 0, and is started again.
    case drain
    /// The server ends connections of the daemons (`pg_terminate_backend`).
    case cut
    /// The server stops as in a crash (`-m immediate`) and is started again.
    case crash
    /// Submitter and operator cancel several jobs.
    case cancel
    /// The operator pauses a queue and resumes it a moment later.
    case pause
    /// The submitter retries ended jobs, and cancels some of them at once.
    case retry
    /// Live jobs are held; a moment later each is released or cancelled by force.
    case hold
    /// Live jobs are cancelled by force: their leases are revoked at once.
    case force
    /// A daemon is replaced by one that kills or freezes itself at a fail point.
    case trap
    /// The server carries out statements of a daemon, and the answers are lost with the connection.
    case reply
    /// Nothing gets through between a daemon and its server, in one direction or both, past its lease.
    case silence
}
