import Glibc
import Postgres
import Synchronization

/// Stands between a client and the cluster and, when armed, cuts the connection at the worst
/// moment: after the server has carried out a statement and before the client hears of it.
package final class CuttingProxy: Sendable {
    /// For the same database through the proxy.
    package let url: String

    private struct State {
        /// A statement containing this text is carried out but not answered.
        var armed: [UInt8]?
        var cuts = 0
    }

    private let state = Mutex(State())
    private let listening: Int32
    private let target: String
    private let directory: String
    private let socketPath: String

    /// A proxy in front of a database of a cluster on a Unix socket.
    package init(to database: TemporaryDatabase, user: String) throws {
        let row = try database.connect().execute(
            "SELECT current_setting('unix_socket_directories') AS d, current_setting('port') AS p"
        ).only()
        let name = "/.s.PGSQL.\(try row.text("p"))"
        target = try row.text("d") + name
        var template = Array("/tmp/rewardd-proxy.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ClusterScript.Failure(description: "mkdtemp: \(String(cString: strerror(errno)))")
        }
        directory = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        url =
            "postgresql:///\(database.name)?host=\(directory)&user=\(user)"
            + "&port=\(try row.text("p"))"
        socketPath = directory + name
        let listening = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        self.listening = listening
        let status = Self.withAddress(socketPath) { bind(listening, $0, $1) }
        guard status == 0, listen(listening, 16) == 0 else {
            throw ClusterScript.Failure(description: "bind: \(String(cString: strerror(errno)))")
        }
        startThread { [weak self] in
            while true {
                let client = accept(listening, nil, nil)
                guard client >= 0, let self else { return }
                startThread { self.forward(client) }
            }
        }
    }

    deinit {
        shutdown(listening, Int32(SHUT_RDWR))
        close(listening)
        unlink(socketPath)
        rmdir(directory)
    }

    /// Cuts the connection of the next statement that contains the text, once.
    package func cut(after text: String) {
        state.withLock { $0.armed = Array(text.utf8) }
    }

    /// How many connections have been cut.
    package var cuts: Int { state.withLock { $0.cuts } }

    // MARK: - Forwarding

    private func forward(_ client: Int32) {
        let server = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer {
            close(client)
            close(server)
        }
        guard Self.withAddress(target, { connect(server, $0, $1) }) == 0 else { return }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            var entries = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&entries, 2, -1) > 0 else { return }
            let isFromClient = entries[0].revents != 0
            let count = read(isFromClient ? client : server, &chunk, chunk.count)
            guard count > 0 else { return }
            let isLast = isFromClient && disarm(by: chunk[..<count])
            guard write(isFromClient ? server : client, chunk, count) == count else { return }
            if isLast {
                _ = read(server, &chunk, chunk.count)
                return
            }
        }
    }

    private func disarm(by bytes: ArraySlice<UInt8>) -> Bool {
        state.withLock { state in
            guard let armed = state.armed, bytes.contains(armed) else { return false }
            state.armed = nil
            state.cuts += 1
            return true
        }
    }

    private static func withAddress(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
        }
    }
}

/// A detached thread: the blocking loops here must not hold a thread of the cooperative pool.
private func startThread(_ body: @escaping @Sendable () -> Void) {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let start = Unmanaged.passRetained(Start(body: body))
    var thread = pthread_t()
    let status = pthread_create(
        &thread,
        nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        },
        start.toOpaque()
    )
    if status == 0 { pthread_detach(thread) } else { start.release() }
}
