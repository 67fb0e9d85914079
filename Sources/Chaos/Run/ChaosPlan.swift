/// What a run of chaos is to do.
package struct ChaosPlan: Sendable {
    /// Seconds of faults; the last round is ended.
    package var seconds: Double
    /// How many daemons.
    package var daemons: Int
    /// What faults and jobs are drawn from.
    package var seed: UInt64
    /// Seconds of a round, after which the auditor comes.
    package var roundSeconds = 10.0
    /// The directory of a checkpoint; nil for scripted answers.
    package var model: String?
    /// How long a scripted answer takes, in milliseconds.
    package var answerMilliseconds = 50
    /// Shards that a daemon runs at once.
    package var slots = 2
    /// Items of a shard that a daemon judges at once.
    package var itemsAtOnce = 3
    /// Most jobs submitted in a second: more than the daemons can take, so that a fault finds them at work.
    package var jobsPerSecond = 10.0
    /// The same in every fourth round, so that a fault finds them idle.
    package var quietJobsPerSecond = 1.0
    /// Most jobs that may be live at once, for each daemon.
    package var liveJobsPerDaemon = 8
    /// Variables for the daemons, besides those of this process.
    package var daemonEnvironment: [String: String] = [:]
    /// Longest time for the jobs to end when the faults are over.
    package var settleSeconds = 300.0
    /// Where everything is kept; nil for a directory that is removed at the end.
    package var keptDirectory: String?

    /// A plan with the usual measures.
    package init(seconds: Double, daemons: Int, seed: UInt64) {
        self.seconds = seconds
        self.daemons = daemons
        self.seed = seed
    }

    /// Shards of the second queue that may run at once: half of what the daemons could.
    package var limit: Int { max(1, daemons * slots / 2) }

    /// The number of rounds.
    package var rounds: Int { max(1, Int((seconds / roundSeconds).rounded(.up))) }
}
