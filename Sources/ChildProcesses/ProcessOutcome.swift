/// How a child process ended and what it wrote.
package struct ProcessOutcome: Sendable {
    package enum Ending: Sendable, Equatable {
        /// By itself, with this status.
        case exited(Int32)
        /// By this signal, not one of ours.
        case signalled(Int32)
        /// Killed: the task that waited for it was cancelled.
        case cancelled
        /// Killed: the wall-clock limit.
        case timedOut
        /// Killed: more output than allowed.
        case outputLimit
    }

    package let ending: Ending
    /// The process's id; it has been reaped, so the id may name another by now.
    package let processID: Int32
    /// At most the limit's bytes; meaningless unless the ending is `.exited`.
    package let output: [UInt8]
    /// The beginning of standard error, invalid UTF-8 repaired.
    package let errorText: String
    /// Whether the system-call filter was on.
    package let isFiltered: Bool
    /// Largest resident memory of the process, in bytes.
    package let residentBytes: Int
    /// Processor time of the process, in seconds.
    package let processorSeconds: Double
}
