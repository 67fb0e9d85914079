/// The parts of the benchmark, each with a database of its own.
package enum BenchmarkPart: String, CaseIterable, Sendable {
    /// Submitting: one item a transaction, and many at once.
    case enqueue
    /// Judgements stored by real daemons.
    case checkpoint
    /// From the call of enqueue to an idle daemon's start.
    case start
    /// Claims over backlogs of several sizes and kinds.
    case claim
    /// From the death of a daemon until another has its work.
    case rescue
}
