import Jobs

/// Claims one shard after another for a daemon that is none, and finishes it.
struct Claimer: Sendable {
    private let queue: JobQueue
    private let daemonID: Int64

    /// Registers the daemon.
    init(_ database: BenchmarkDatabase) throws {
        queue = database.queue()
        daemonID = try database.registerDaemon()
    }

    /// One claim; what came of it is then given results and finished. Returns the milliseconds of the claim
    /// alone.
    func claimAndFinish() async throws -> Double {
        let start = ContinuousClock.now
        let shards = try await queue.claim(
            daemonID: daemonID,
            models: [BenchmarkStage.model],
            queues: ["default"],
            maximum: 1
        )
        let time = start.duration(to: .now) / .milliseconds(1)
        for shard in shards {
            let results = shard.items.map {
                ItemResultRow(itemIndex: $0.index, outcome: .completed(json: "{}"))
            }
            _ = try await queue.checkpoint(shard.lease, judgements: [], results: results)
            _ = try await queue.finish(shard.lease, .done)
        }
        return time
    }
}
