/// What a benchmark of the queue is to do.
package struct BenchmarkPlan: Sendable {
    /// Which parts, in the order of ``BenchmarkPart``.
    package var parts: Set<BenchmarkPart> = Set(BenchmarkPart.allCases)
    /// Shards in the largest backlog.
    package var rows = 1_000_000
    /// Seconds that one repeat of a throughput takes, about.
    package var seconds = 4
    /// How often everything is repeated; the spread is over these.
    package var repeats = 3
    /// Samples of a latency in each repeat.
    package var samples = 300
    /// Whether commits wait for the disk, as in production. Without, statements are measured alone.
    package var waitsForDisk = true

    /// The usual measures.
    package init() {}

    /// The most judgements of one repeat: a bound that only a quick trial with few rows meets.
    var judgements: Int { 4 * rows }

    /// Items of one call of the bulk submission: no more than the largest backlog.
    var bulkItems: Int { min(10_000, rows) }
}
