/// What the commits of a ``PrivateCluster`` survive, and how much memory it takes.
package enum ClusterDurability: Sendable, Equatable {
    /// The death of the server but not a power cut: fsync is off, commits stay synchronous, memory is
    /// small. For tests of what the queue promises.
    case processDeath
    /// A power cut, as in production, with the memory of a small server. For measurements.
    case powerCut
    /// As little as `processDeath`, with the memory of `powerCut`: what the statements cost, without the
    /// disk.
    case processDeathMeasured

    /// Lines of `postgresql.conf`.
    var settings: [String] {
        switch self {
        case .processDeath: ["shared_buffers = 64MB", "max_wal_size = 512MB"] + Self.withoutDisk
        case .powerCut: Self.roomy
        case .processDeathMeasured: Self.roomy + Self.withoutDisk
        }
    }

    private static let roomy = ["shared_buffers = 1GB", "max_wal_size = 8GB"]
    private static let withoutDisk = ["fsync = off", "full_page_writes = off"]
}
