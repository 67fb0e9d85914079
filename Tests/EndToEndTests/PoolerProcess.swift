import Foundation
import Glibc
import TestSupport

/// A real PgBouncer in transaction mode before a database, with a socket directory of its own.
final class PoolerProcess {
    /// The database through the pooler, as the login of the URL it was started for.
    let url: String

    private static let program = "/usr/sbin/pgbouncer"
    /// Whether the Debian package is there.
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    private let process = Process()
    private let directory: URL

    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// Starts PgBouncer before the database of a URL such as `TemporaryDatabase.makeLogin` gives, and waits
    /// until its socket is there.
    init(before url: String) throws {
        guard var target = URLComponents(string: url), let items = target.queryItems,
            let host = items.first(where: { $0.name == "host" })?.value,
            let user = items.first(where: { $0.name == "user" })
        else { throw Unusable(description: "expected a URL with host and user, got \(url)") }
        directory = URL(filePath: "/tmp/rewardd-pool-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // The server's user makes the socket in it.
        chmod(directory.path, 0o777)
        let configuration = directory.appending(path: "pgbouncer.ini")
        try """
        [databases]
        * = host=\(host) user=\(user.value ?? "")
        [pgbouncer]
        pool_mode = transaction
        auth_type = any
        unix_socket_dir = \(directory.path)
        listen_port = 6432
        default_pool_size = 4
        logfile = \(directory.path)/log
        """.write(to: configuration, atomically: true, encoding: .utf8)
        chmod(configuration.path, 0o644)
        target.queryItems = [
            URLQueryItem(name: "host", value: directory.path),
            URLQueryItem(name: "port", value: "6432"), user,
        ]
        self.url = target.string ?? ""

        // Like the server it refuses to run as root.
        let words = (getuid() == 0 ? ["runuser", "-u", "postgres", "--"] : []) + [Self.program]
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words + ["-q", configuration.path]
        process.standardError = FileHandle.nullDevice
        try process.run()
        let socket = directory.appending(path: ".s.PGSQL.6432").path
        let deadline = ContinuousClock.now + .seconds(20)
        while access(socket, F_OK) != 0 {
            guard process.isRunning, ContinuousClock.now < deadline else {
                throw Unusable(description: "\(Self.program) made no socket: \(log)")
            }
            usleep(10_000)
        }
    }

    deinit {
        // runuser passes it on.
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: directory)
    }

    private var log: String {
        (try? String(contentsOf: directory.appending(path: "log"), encoding: .utf8)) ?? "no log"
    }
}
