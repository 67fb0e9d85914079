import Postgres
import Staging

/// Notices that the server went away, or cut its connections, although the run did nothing to it, and starts
/// it again when nobody else does.
final class ServerSentinel {
    /// The server was away, and is back.
    struct Outage {
        /// Answers that engines had given when it was seen for the last time.
        let answersBefore: Int
    }

    /// How long the server may be down until it is started here.
    private static let patience = 3.0
    /// Least time between two looks.
    private static let spacing = 0.5

    /// Set while the run itself has the server down.
    var isSuspended = false {
        didSet { client.close() }
    }

    private let cluster: PrivateCluster
    private let client: QueueClient
    /// The server process of its connection when it was seen for the last time; nil before the first time and
    /// after the run's own faults.
    private var seen: (backend: Int64, answers: Int)?
    private var lostSince: Double?
    private var nextLook = 0.0

    /// One that has not looked yet.
    init(_ cluster: PrivateCluster) {
        self.cluster = cluster
        client = QueueClient(url: cluster.url, name: "chaos sentinel")
    }

    /// Looks, if it is time; returns an outage that is over.
    func look(at now: Double, answers: Int) -> Outage? {
        guard !isSuspended else {
            seen = nil
            lostSince = nil
            return nil
        }
        guard now >= nextLook else { return nil }
        nextLook = now + Self.spacing
        let backend = client.attempt { connection in
            try connection.execute("SELECT pg_backend_pid() AS pid").only().int64("pid")
        }
        guard let backend else {
            let since = lostSince ?? now
            lostSince = since
            // Another start may be under way; then this one fails and the next look tells.
            if now - since > Self.patience, !cluster.isRunning { try? cluster.start() }
            return nil
        }
        lostSince = nil
        defer { seen = (backend, answers) }
        guard let seen, seen.backend != backend else { return nil }
        return Outage(answersBefore: seen.answers)
    }
}
