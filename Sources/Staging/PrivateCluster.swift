import FoundationEssentials
import Glibc

/// A PostgreSQL server of the run's own: no TCP port, no password, one socket directory.
///
/// As root it runs as user `postgres`, since PostgreSQL refuses to run as root.
package final class PrivateCluster {
    /// The URL of the maintenance database as superuser.
    package var url: String { url(user: "postgres") }

    /// Where the server's programs are, `pgbench` among them.
    package let programs: String
    /// Where its socket is: the value of PGHOST.
    package var host: String { socket }

    private let data: String
    private let socket: String
    private let output: String
    private let environment: [String: String]
    private let runsAsRoot = geteuid() == 0

    /// Finds the newest server's programs and makes a cluster under `directory`, which user `postgres`
    /// must be able to reach.
    ///
    /// - Parameter durability: What commits survive, and how much memory the server takes.
    package init(
        directory: String,
        durability: ClusterDurability,
        environment: [String: String]
    ) throws {
        programs = try Self.findPrograms()
        self.environment = environment
        data = directory + "/data"
        output = directory + "/server.log"
        // Short, because the path of a Unix socket holds 107 bytes.
        socket = try RunDirectory.make(prefix: StaleRuns.ownPrefix + "socket-")
        do {
            try prepare(directory, durability)
        } catch {
            RunDirectory.remove(socket)
            throw error
        }
    }

    /// The URL of a database, as a login role.
    package func url(user: String, database: String = "postgres") -> String {
        Self.url(user: user, database: database, directory: socket)
    }

    /// The same through another directory of sockets, such as a proxy's.
    package static func url(
        user: String,
        database: String = "postgres",
        directory: String
    ) -> String {
        "postgresql:///\(database)?host=\(directory)&user=\(user)"
    }

    /// The path of the server's socket.
    package var socketPath: String { socket + "/.s.PGSQL.5432" }

    /// Starts the server and waits until it answers.
    package func start() throws {
        try asServer(
            "pg_ctl",
            [
                "start", "-w", "-s", "-t", "120", "-D", data, "-l", data + "/postgres.log", "-o",
                "-c unix_socket_directories=\(socket)",
            ]
        )
    }

    /// Whether the server's first process lives. One that was killed and waits for its parent does not.
    package var isRunning: Bool {
        guard let text = try? String(contentsOfFile: data + "/postmaster.pid", encoding: .utf8),
            let process = text.split(separator: "\n").first.flatMap({ pid_t($0) })
        else { return false }
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
        else { return false }
        // After the name in parentheses, which may hold anything.
        return status.split(separator: ") ").last?.first != "Z"
    }

    /// Starts a server that somebody else may have killed or be starting: its processes may need a moment
    /// to go.
    package func startPatiently() throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while !isRunning {
            do {
                try start()
            } catch {
                guard .now < deadline else { throw error }
                usleep(300_000)
            }
        }
    }

    /// Stops the server as a crash would: connections are cut, nothing is written out.
    package func crash() throws {
        try asServer("pg_ctl", ["stop", "-w", "-s", "-m", "immediate", "-D", data])
    }

    /// Stops the server, if it runs, and removes the socket directory; the data stay.
    package func end() {
        try? crash()
        RunDirectory.remove(socket)
    }

    // MARK: - Making

    private func prepare(_ directory: String, _ durability: ClusterDurability) throws {
        if runsAsRoot {
            guard let user = getpwnam("postgres") else {
                throw ChildProcess.Failure(
                    description: "expected a user 'postgres' to run the server as, found none. "
                        + "Run: apt-get install postgresql"
                )
            }
            mkdir(data, 0o700)
            chown(data, user.pointee.pw_uid, user.pointee.pw_gid)
            chown(socket, user.pointee.pw_uid, user.pointee.pw_gid)
            guard (try? asServer("/usr/bin/test", ["-w", data])) != nil else {
                throw ChildProcess.Failure(
                    description: "\(directory): expected a directory that user 'postgres' can "
                        + "reach, got one that is closed to others. Choose one under /tmp."
                )
            }
        }
        try asServer(
            "initdb",
            [
                "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                "-D", data,
            ]
        )
        let settings = [
            "listen_addresses = ''", "max_connections = 200", "log_min_messages = warning",
            "log_line_prefix = '%m [%p] %a '",
        ]
        for setting in settings + durability.settings { try append(setting) }
    }

    /// Adds a line to the configuration. As root the file belongs to `postgres` and stays so.
    private func append(_ line: String) throws {
        let file = data + "/postgresql.conf"
        let descriptor = open(file, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ChildProcess.Failure(description: "\(file): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    private func asServer(_ program: String, _ arguments: [String]) throws {
        let path = program.hasPrefix("/") ? program : "\(programs)/\(program)"
        let command = runsAsRoot ? ["runuser", "-u", "postgres", "--", path] : [path]
        // Away from a directory that user may not read.
        try ChildProcess.run(
            "/bin/sh",
            ["-c", "cd / && exec \"$@\"", "sh"] + command + arguments,
            environment: environment,
            output: output
        )
    }

    /// The directory of the newest version's programs.
    private static func findPrograms() throws -> String {
        let root = "/usr/lib/postgresql"
        var versions: [Int] = []
        if let listing = opendir(root) {
            defer { closedir(listing) }
            while let entry = readdir(listing) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if let version = Int(name), access("\(root)/\(name)/bin/initdb", X_OK) == 0 {
                    versions.append(version)
                }
            }
        }
        guard let newest = versions.max() else {
            throw ChildProcess.Failure(
                description: "expected PostgreSQL's server programs in \(root), found none. "
                    + "Run: apt-get install postgresql"
            )
        }
        return "\(root)/\(newest)/bin"
    }
}
