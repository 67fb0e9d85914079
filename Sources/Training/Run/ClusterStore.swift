import Synchronization

/// The clusters of a run, turned into tokens and tiles once and kept as far as memory allows.
///
/// What does not fit is prepared again each time it is used: slower, with the same bits.
final class ClusterStore: Sendable {
    private let records: [[DatasetRecord]]
    private let writer: ClusterWriter
    private let memoryBudget: Int
    private let kept = Mutex<Kept>(Kept())

    private struct Kept {
        var clusters: [Int: PreparedCluster] = [:]
        var byteCount = 0
    }

    /// - Parameter memoryBudget: bytes of prepared clusters to keep.
    init(records: [[DatasetRecord]], writer: ClusterWriter, memoryBudget: Int) {
        self.records = records
        self.writer = writer
        self.memoryBudget = memoryBudget
    }

    /// Number of clusters.
    var count: Int { records.count }

    /// Prepares every cluster once, so that a record that cannot be used is found before the first step.
    ///
    /// - Parameters:
    ///   - concurrency: clusters prepared at a time.
    ///   - progress: called with the number of clusters done; false stops.
    /// - Returns: the size of each cluster, in order.
    /// - Throws: ``TrainingError``, `CancellationError`.
    func prepareAll(
        concurrency: Int,
        progress: (Int) async -> Bool
    ) async throws -> [ClusterSize] {
        try await withThrowingTaskGroup(of: (Int, ClusterSize).self) { group in
            var sizes = [ClusterSize](repeating: ClusterSize(), count: records.count)
            var next = 0
            func start() {
                guard next < records.count else { return }
                let index = next
                next += 1
                group.addTask { (index, try await self.cluster(index).size) }
            }
            for _ in 0..<max(concurrency, 1) { start() }
            var done = 0
            while let (index, size) = try await group.next() {
                sizes[index] = size
                done += 1
                guard await progress(done) else {
                    group.cancelAll()
                    throw TrainingError.stopped
                }
                start()
            }
            return sizes
        }
    }

    /// Clusters by their indices, in that order.
    func clusters(_ indices: [Int]) async throws -> [PreparedCluster] {
        var found: [PreparedCluster] = []
        for index in indices { found.append(try await cluster(index)) }
        return found
    }

    private func cluster(_ index: Int) async throws -> PreparedCluster {
        if let known = kept.withLock({ $0.clusters[index] }) { return known }
        let cluster = try await writer.cluster(of: records[index])
        let size = cluster.byteCount
        kept.withLock { kept in
            guard kept.clusters[index] == nil, kept.byteCount + size <= memoryBudget else { return }
            kept.clusters[index] = cluster
            kept.byteCount += size
        }
        return cluster
    }
}
