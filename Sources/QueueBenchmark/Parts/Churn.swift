import Postgres
import Synchronization

/// Work that goes on beside a measurement: two claimers that never rest. What they take is little against
/// a backlog.
final class Churn: Sendable {
    private let claimers: [Claimer]
    private let isStopped = Atomic(false)

    init(_ database: BenchmarkDatabase) throws {
        claimers = [try Claimer(database), try Claimer(database)]
    }

    /// Claims and finishes until it is stopped.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for claimer in claimers {
                group.addTask {
                    while !self.isStopped.load(ordering: .relaxed) {
                        _ = try await claimer.claimAndFinish()
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Lets it end.
    func stop() { isStopped.store(true, ordering: .relaxed) }
}
