/// What a benchmark came to.
package struct BenchmarkReport: Sendable {
    /// The machine: processors that may be used.
    package var processors = 0
    /// The server's version, such as "15.18".
    package var server = ""
    /// Whether commits waited for the disk.
    package var waitsForDisk = true
    /// Processes that wanted to run, as the system counts them, before and after: others' work shows here.
    package var loads: [Double] = []
    /// Shards in the largest backlog.
    package var rows = 0
    /// Repeats of everything.
    package var repeats = 0
    /// Seconds of the whole run.
    package var seconds = 0.0
    /// What was measured.
    package var measurements: [Measurement] = []
    /// Whether Ctrl-C ended it early.
    package var isInterrupted = false

    /// A run that has not begun.
    package init() {}

    /// The figures that did not reach their goal.
    package var misses: [Measurement] {
        measurements.filter { $0.verdict.map { $0 != .met } ?? false }
    }
}
