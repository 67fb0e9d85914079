import Glibc
import Synchronization

/// The PostgreSQL server of this test process. Started through the script at first use and removed
/// when the process exits; or an existing one whose URL is in the environment as
/// `REWARDD_TEST_CLUSTER`.
package final class TestCluster: Sendable {
    /// The URL of the maintenance database as superuser.
    package let url: String

    private let directory: String?

    /// True when the server was there before this process and stays after it.
    package var isFromEnvironment: Bool { directory == nil }

    /// The process's one cluster.
    package static func shared() throws -> TestCluster {
        try sharedResult.get()
    }

    /// A second cluster of one's own, for tests that stop and restart the server. Stop it with
    /// `stop()`.
    package static func separate() throws -> TestCluster {
        let directory = try makeDirectory()
        try ClusterScript.run("start", directory)
        let cluster = TestCluster(
            url: try ClusterScript.run("url", directory),
            directory: directory
        )
        AtExit.run { cluster.stop() }
        return cluster
    }

    private init(url: String, directory: String?) {
        self.url = url
        self.directory = directory
    }

    /// Kills the server as a crash would and starts it again; does nothing to a server from the
    /// environment.
    package func restart() throws {
        if let directory { try ClusterScript.run("restart", directory) }
    }

    /// Stops the server and removes its data; does nothing to a server from the environment. May be
    /// repeated.
    package func stop() {
        if let directory { _ = try? ClusterScript.run("stop", directory) }
    }

    /// The URL of another database of the cluster, as another user when given.
    package func url(database: String, user: String? = nil) -> String {
        let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let base = parts[0].lastIndex(of: "/").map { parts[0][...$0] } ?? parts[0]
        var query = parts.count > 1 ? [String(parts[1])] : []
        // Of two values of one parameter the last wins.
        if let user { query.append("user=\(user)") }
        return "\(base)\(database)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }

    // MARK: - Starting

    private static let sharedResult: Result<TestCluster, any Error> = Result {
        if let existing = getenv("REWARDD_TEST_CLUSTER") {
            return TestCluster(url: String(cString: existing), directory: nil)
        }
        removeStale()
        return try separate()
    }

    private static let prefix = "rewardd-tests-"

    /// A directory that carries this process's id, so that a later run can tell whether it is still
    /// in use.
    private static func makeDirectory() throws -> String {
        let template = "/tmp/\(prefix)\(getpid())-XXXXXX"
        guard let pointer = strdup(template) else {
            throw ClusterScript.Failure(description: "\(template): out of memory")
        }
        defer { free(pointer) }
        guard mkdtemp(pointer) != nil else {
            throw ClusterScript.Failure(
                description: "\(template): \(String(cString: strerror(errno)))"
            )
        }
        // User `postgres` must reach the data inside.
        chmod(pointer, 0o755)
        return String(cString: pointer)
    }

    /// Stops the clusters of test processes that were killed before they could.
    private static func removeStale() {
        guard let listing = opendir("/tmp") else { return }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix(prefix),
                let process = pid_t(name.dropFirst(prefix.count).prefix { $0.isNumber }),
                kill(process, 0) != 0, errno == ESRCH
            else { continue }
            _ = try? ClusterScript.run("stop", "/tmp/\(name)")
        }
    }
}
