/// One fault of a plan: what, when, to whom, and how hard.
///
/// Whom it meets in the end depends on what is there at that time: a number stands for the daemon in
/// that place, or the next one that runs.
package struct Fault: Sendable, Equatable {
    /// What is done.
    package let kind: FaultKind
    /// The round, from 1.
    package let round: Int
    /// Seconds from the start of the round.
    package let offset: Double
    /// The place of a daemon, or a number from which jobs and queues are chosen.
    package let target: Int
    /// Seconds that the fault lasts: how long a daemon or the server is down, a daemon frozen or cut off, a
    /// queue paused, a job held.
    package let seconds: Double

    /// How a log names it.
    package var description: String {
        "\(kind.rawValue) \(target) for \((seconds * 10).rounded() / 10)s"
    }
}
